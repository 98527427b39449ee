// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier ctl`: the calls of the admin listener, for people.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the subcommand; running it sets the exit code: 1 where the worker refuses or none answers.
void add_ctl(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
