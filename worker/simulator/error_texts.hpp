// SPDX-License-Identifier: Apache-2.0
/// @file
/// The words WeChat puts beside its error codes.
#pragma once

#include <string>
#include <string_view>

namespace wxcourier::simulator {

/// A request WeChat turns down.
struct refusal {
    int errcode = 0;
    std::string errmsg; ///< Empty: the usual text of the code.
};

/// The usual text of a code; `simulated error` for one without.
std::string_view error_text(int errcode) noexcept;

} // namespace wxcourier::simulator
