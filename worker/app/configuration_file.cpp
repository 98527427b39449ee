// SPDX-License-Identifier: Apache-2.0
#include "app/configuration_file.hpp"

#include "app/settings_mapping.hpp"
#include "kafka/library.hpp"

namespace wxcourier::app {

config::property_verdict check_kafka_property(const std::string& name, std::optional<std::string_view> value)
{
    switch (kafka::ask_about_property(name, value)) {
    case kafka::property_answer::unknown_name:
        return config::property_verdict::unknown_name;
    case kafka::property_answer::bad_value:
        return config::property_verdict::bad_value;
    case kafka::property_answer::good:
        break;
    }
    return config::property_verdict::good;
}

config::load_outcome read_configuration(std::string_view text)
{
    return config::load_text(text, config::secrets::required, check_kafka_property);
}

} // namespace wxcourier::app
