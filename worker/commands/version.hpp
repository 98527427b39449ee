// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier version`: what this program is made of, for bug reports.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace wxcourier::commands {

/// Lines of a name and a version each: wxcourier first, then the libraries as they are linked now.
std::string version_text();

/// Adds `version` and `--version`, which print `version_text()`.
void add_version(CLI::App& program);

} // namespace wxcourier::commands
