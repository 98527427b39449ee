// SPDX-License-Identifier: Apache-2.0
#include "kafka/library.hpp"

#include "kafka/handles.hpp"

namespace wxcourier::kafka {

std::string library_version()
{
    return rd_kafka_version_str();
}

property_answer ask_about_property(const std::string& name, std::optional<std::string_view> value)
{
    const conf_handle conf(rd_kafka_conf_new());
    const std::string text{value.value_or(std::string_view{})};
    // No room for its complaint, which would repeat the value: that may be a secret.
    const auto answer = rd_kafka_conf_set(conf.get(), name.c_str(), text.c_str(), nullptr, 0);
    if (answer == RD_KAFKA_CONF_INVALID && !value)
        return property_answer::good;
    switch (answer) {
    case RD_KAFKA_CONF_OK:
        return property_answer::good;
    case RD_KAFKA_CONF_UNKNOWN:
        return property_answer::unknown_name;
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return property_answer::bad_value;
}

} // namespace wxcourier::kafka
