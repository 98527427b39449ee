// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier replay`: puts dead letters back on the jobs topic.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the command; when it was given, its exit code is left in `exit_code`.
void add_replay(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
