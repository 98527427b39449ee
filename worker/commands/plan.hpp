// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier plan`: how long jobs would take under the configured limits, and which would be rejected or expire.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the command; when it was given, its exit code is left in `exit_code`: 1 when a line would be rejected, a
/// message would expire or the jobs cannot be read, 2 for a bad configuration or start.
void add_plan(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
