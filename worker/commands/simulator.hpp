// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier simulator`: a WeChat to develop and test against, docs/simulator.md.
#pragma once

namespace CLI {
class App;
}

namespace wxcourier::commands {

/// Adds the command to `program`. Running it sets `exit_code`: 0 after SIGTERM or SIGINT, 1 when it could not listen,
/// 2 when an option makes no sense. Both must outlive the parsing.
void add_simulator(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
