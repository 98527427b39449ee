// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier check-config`: everything about a configuration that can be known without a network.
#pragma once

namespace CLI {
class App;
}

namespace wxcourier::commands {

/// Adds `check-config -c FILE [--no-secrets]`. Findings go to standard error as `FILE:LINE:COLUMN: what`, one line
/// says that all is well; `exit_code` becomes 2 on any error. Both arguments must outlive the parse.
void add_check_config(CLI::App& program, int& exit_code);

} // namespace wxcourier::commands
