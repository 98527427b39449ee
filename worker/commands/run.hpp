// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier run`: the worker.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the command; when it was given, its exit code is left in `exit_code`.
void add_run(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
