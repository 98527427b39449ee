// SPDX-License-Identifier: Apache-2.0
#include "commands/loaded_settings.hpp"

#include "app/configuration_file.hpp"
#include "common/log.hpp"

#include <iostream>

namespace wxcourier::commands {

std::optional<config::settings> load_settings(const std::string& path, config::secrets want)
{
    auto outcome = config::load_file(path, want, app::check_kafka_property);
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
