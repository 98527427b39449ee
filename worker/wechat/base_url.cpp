// SPDX-License-Identifier: Apache-2.0
#include "wechat/base_url.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace wxcourier::wechat {
namespace {

[[noreturn]] void refuse(std::string_view why)
{
    // The text itself stays out: a URL with user information may hold a password.
    throw std::invalid_argument("base URL: " + std::string(why));
}

std::uint16_t parse_port(std::string_view digits)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) {
        refuse("the port must be a number from 1 to 65535");
    }
    return port;
}

char to_lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// Takes the scheme off the front.
bool take_scheme(std::string_view& rest)
{
    for (const auto& [scheme, tls] : {std::pair{std::string_view("https://"), true}, {"http://", false}}) {
        if (rest.starts_with(scheme)) {
            rest.remove_prefix(scheme.size());
            return tls;
        }
    }
    refuse("must begin with https://");
}

} // namespace

base_url parse_base_url(std::string_view text)
{
    const auto is_plain = [](char letter) { return letter > ' ' && letter < 0x7f; };
    if (!std::all_of(text.begin(), text.end(), is_plain) || text.find_first_of("?#@\\\"<>") != std::string_view::npos) {
        refuse("must be https://HOST[:PORT][/PATH], without user, query or fragment");
    }
    base_url url;
    std::string_view rest = text;
    url.tls = take_scheme(rest);
    url.port = url.tls ? 443 : 80;

    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    std::string_view path = rest.substr(slash);
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    url.prefix = path;

    const bool bracketed = authority.starts_with('[');
    const std::size_t host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
    if (host_end == std::string_view::npos || host_end == 0) {
        refuse("names no host");
    }
    url.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
    std::transform(url.host.begin(), url.host.end(), url.host.begin(), to_lower);
    authority.remove_prefix(bracketed ? host_end + 1 : host_end);
    const std::uint16_t default_port = url.port;
    if (authority.starts_with(':')) {
        url.port = parse_port(authority.substr(1));
    } else if (!authority.empty()) {
        refuse("the host is followed by something that is no port");
    }

    boost::system::error_code not_an_address;
    const auto address = boost::asio::ip::make_address(url.host, not_an_address);
    url.is_address = !not_an_address;
    if (bracketed != (url.is_address && address.is_v6())) {
        refuse("an IPv6 address stands in brackets, and nothing else does");
    }
    url.authority = bracketed ? '[' + url.host + ']' : url.host;
    if (url.port != default_port) {
        url.authority += ':' + std::to_string(url.port);
    }
    return url;
}

} // namespace wxcourier::wechat
