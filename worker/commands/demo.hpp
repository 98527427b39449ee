// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier demo`: everything in one process, with no outside parts.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the command; when it was given, its exit code is left in `exit_code`: 0 when every example was `sent`.
void add_demo(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
