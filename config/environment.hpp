// SPDX-License-Identifier: Apache-2.0
/// @file
/// The process's environment, as a configuration may refer to it.
#pragma once

#include "config/finding.hpp"
#include "config/yaml_document.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::config {

/// Whether `name` can name a variable: letters, digits and underscores, no digit first.
bool is_environment_name(std::string_view name);

/// The variable's value; empty optional: not set.
std::optional<std::string> read_environment(const std::string& name);

/// Replaces `${NAME}` in every scalar value below `node` by the environment's; `$${` stands for the text `${`. A
/// variable that is not set is an error, and its scalar is refused. Keys are left alone.
void substitute_environment(yaml_node& node, findings& found);

} // namespace wxcourier::config
