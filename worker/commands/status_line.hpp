// SPDX-License-Identifier: Apache-2.0
/// @file
/// A status for a person to read.
#pragma once

#include "domain/status_record.hpp"

#include <string>

namespace wxcourier::commands {

/// One line: time, state, id, app, kind, recipient, and what is known beyond that. Control characters are replaced.
/// @param colour  with ANSI colours by state.
std::string status_line(const domain::status_record& status, bool colour);

} // namespace wxcourier::commands
