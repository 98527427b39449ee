// SPDX-License-Identifier: Apache-2.0
/// @file
/// The configuration for a command: loaded, with what is wrong with it told to the person who typed the command.
#pragma once

#include "config/load.hpp"

#include <optional>
#include <string>

namespace wxcourier::commands {

/// Loads a configuration; prints its findings on standard error. Empty: it has errors, the command ends with 2.
std::optional<config::settings> load_settings(const std::string& path, config::secrets want);

} // namespace wxcourier::commands
