// SPDX-License-Identifier: Apache-2.0
/// @file
/// Durations as the configuration writes them: `250ms`, `3s`, `10m`, `6h`, `7d`. Never a bare number, whose unit
/// every reader would have to guess.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace wxcourier::config {

enum class duration_problem : std::uint8_t {
    not_a_duration, ///< Anything but digits and a unit.
    no_unit,        ///< Digits alone.
    too_long,       ///< Beyond what milliseconds in 64 bits hold.
};

/// Digits and a unit, nothing between or around them.
std::variant<milliseconds, duration_problem> parse_duration(std::string_view text);

/// In the largest unit that leaves a whole number: `90s`, `2m`.
std::string format_duration(milliseconds time);

} // namespace wxcourier::config
