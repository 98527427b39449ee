// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier enqueue`: checks jobs by the worker's own rules and produces the good ones.
#pragma once

#include <CLI/App.hpp>

namespace wxcourier::commands {

/// Adds the command; when it was given, its exit code is left in `exit_code`: 1 when a line was bad or Kafka did not
/// take the jobs, 2 for a bad configuration.
void add_enqueue(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
