// SPDX-License-Identifier: Apache-2.0
/// @file
/// Listen addresses and URLs as the configuration writes them, checked without a look at the network.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::config {

/// A number from 0 to 65535, digits only.
std::optional<std::uint16_t> parse_port(std::string_view text);

/// `HOST:PORT`, an IPv6 host in brackets (they are dropped). Empty: neither.
std::optional<listen_address> parse_listen_address(std::string_view text);

/// Where the listener is reached from its own machine, `HOST:PORT`: a wildcard is the loopback address there, and an
/// IPv6 host stands in brackets.
std::string reachable_address(const listen_address& listen);

/// The parts of an http or https URL; views into the text.
struct url_parts {
    std::string_view scheme; ///< `http` or `https`.
    std::string_view host;   ///< Without brackets.
    std::string_view port;   ///< Empty: the scheme's own.
    std::string_view path;   ///< With its first slash.
    bool has_user_info = false;
    bool has_query = false;
    bool has_fragment = false;
};

/// Splits a URL. Empty: not an http or https URL with a well-formed host and port.
std::optional<url_parts> parse_url(std::string_view text);

/// `localhost`, 127.0.0.0/8 or ::1: what is sent there stays on the machine.
bool is_loopback(std::string_view host);

} // namespace wxcourier::config
