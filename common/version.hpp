// SPDX-License-Identifier: Apache-2.0
/// @file
/// The program's version, as CMake's project() states it.
#pragma once

#include <string_view>

namespace wxcourier {

inline constexpr std::string_view version = WXCOURIER_VERSION;

} // namespace wxcourier
