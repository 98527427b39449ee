// SPDX-License-Identifier: Apache-2.0
/// @file
/// What of a person may stand on a screen that several people see.
#pragma once

#include <string>
#include <string_view>

namespace wxcourier::dashboard {

/// `oA1b…M3n`: enough to tell recipients apart, not enough to write to one. A short one is `…` altogether.
std::string masked(std::string_view openid);

/// A text of WeChat's with every occurrence of `openid` masked, cut at 160 bytes.
std::string without_openid(std::string_view text, std::string_view openid);

} // namespace wxcourier::dashboard
