// SPDX-License-Identifier: Apache-2.0
/// @file
/// The configuration for a command: loaded, with what is wrong with it told to the person who typed the command.
#pragma once

#include "config/load.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::commands {

/// Loads a configuration; prints its findings on standard error. Empty: it has errors, the command ends with 2.
std::optional<config::settings> load_settings(const std::string& path, config::secrets want);

/// Has the linked librdkafka look at one of its properties, for the loader.
config::property_verdict check_kafka_property(const std::string& name, std::optional<std::string_view> value);

} // namespace wxcourier::commands
