// SPDX-License-Identifier: Apache-2.0
/// @file
/// RFC 3339 timestamps, as jobs and statuses carry them.
#pragma once

#include "common/time.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier {

/// `2026-11-22T08:15:30.123Z`: always UTC, always milliseconds. Times outside the years 0000–9999 are clamped to them.
std::string format_rfc3339(wall_time time);

/// The same characters without a string, which would be an allocation.
using rfc3339_text = std::array<char, 24>;
rfc3339_text write_rfc3339(wall_time time) noexcept;

/// Parses a full RFC 3339 date-time (offset required, fraction optional and cut to milliseconds, `T`/`Z` of either
/// case, a leap second read as the second after it). Empty: not one.
std::optional<wall_time> parse_rfc3339(std::string_view text);

} // namespace wxcourier
