// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long a server asks to be left alone.
#pragma once

#include "common/time.hpp"

#include <optional>
#include <string_view>

namespace wxcourier::wechat {

/// Reads a Retry-After header (RFC 9110 10.2.3): seconds, or an IMF-fixdate set against `now`. At most one day, never
/// below zero. Empty: neither of the two.
std::optional<seconds> parse_retry_after(std::string_view text, wall_time now);

} // namespace wxcourier::wechat
