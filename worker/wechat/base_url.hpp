// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where WeChat is: a base URL from the configuration, taken apart once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wxcourier::wechat {

struct base_url {
    bool tls = true;        ///< `https`; false only for a loopback simulator.
    std::string host;       ///< Name or IP address, without brackets, in lower case.
    std::uint16_t port = 0; ///< Always set.
    std::string authority;  ///< As the Host header says it: brackets around IPv6, the port where it is not the default.
    std::string prefix;     ///< Path in front of every call's, without a slash at its end; mostly empty.
    bool is_address = false; ///< `host` is an IP address.
};

/// Reads `https://host[:port][/prefix]` or the same with `http`.
/// @throws std::invalid_argument  anything else: another scheme, user information, a query, a fragment.
base_url parse_base_url(std::string_view text);

} // namespace wxcourier::wechat
