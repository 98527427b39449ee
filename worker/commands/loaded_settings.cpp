// SPDX-License-Identifier: Apache-2.0
#include "commands/loaded_settings.hpp"

#include "common/log.hpp"
#include "kafka/library.hpp"

#include <iostream>

namespace wxcourier::commands {

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

std::optional<config::settings> load_settings(const std::string& path, config::secrets want)
{
    auto outcome = config::load_file(path, want, check_kafka_property);
    for (const auto& each : outcome.errors)
        std::cerr << config::to_string(each, path) << '\n';
    if (!outcome.loaded)
        return std::nullopt;
    log::configure(outcome.loaded->log.level, outcome.loaded->log.format);
    for (const auto& each : outcome.warnings)
        log::warn("config", config::to_string(each, path), {});
    return std::move(outcome.loaded);
}

} // namespace wxcourier::commands
