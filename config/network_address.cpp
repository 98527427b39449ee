// SPDX-License-Identifier: Apache-2.0
#include "config/network_address.hpp"

#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace wxcourier::config {

namespace {

bool is_host_name(std::string_view text)
{
    static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return !text.empty() && text.size() <= 253 && text.find_first_not_of(allowed) == std::string_view::npos &&
           text.front() != '.' && text.front() != '-';
}

std::optional<in6_addr> parse_ipv6(std::string_view text)
{
    in6_addr address{};
    if (::inet_pton(AF_INET6, std::string{text}.c_str(), &address) != 1)
        return std::nullopt;
    return address;
}

struct host_and_port {
    std::string_view host;
    std::optional<std::string_view> port;
};

/// `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`; the port is not looked into.
std::optional<host_and_port> split_authority(std::string_view text)
{
    host_and_port parts;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos || !parse_ipv6(text.substr(1, end - 1)))
            return std::nullopt;
        parts.host = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
    } else {
        parts.host = text.substr(0, text.find(':'));
        if (!is_host_name(parts.host))
            return std::nullopt;
        text.remove_prefix(parts.host.size());
    }
    if (text.empty())
        return parts;
    if (!text.starts_with(':'))
        return std::nullopt;
    parts.port = text.substr(1);
    return parts;
}

} // namespace

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end)
        return std::nullopt;
    return port;
}

std::optional<listen_address> parse_listen_address(std::string_view text)
{
    const auto parts = split_authority(text);
    if (!parts || !parts->port)
        return std::nullopt;
    const auto port = parse_port(*parts->port);
    if (!port)
        return std::nullopt;
    return listen_address{std::string{parts->host}, *port};
}

std::string reachable_address(const listen_address& listen)
{
    std::string host = listen.host;
    if (host == "0.0.0.0")
        host = "127.0.0.1";
    else if (host == "::")
        host = "::1";
    if (host.find(':') != std::string::npos)
        host = '[' + host + ']';
    return host + ':' + std::to_string(listen.port);
}

std::optional<url_parts> parse_url(std::string_view text)
{
    url_parts url;
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || text.find_first_of(" \t\\") != std::string_view::npos)
        return std::nullopt;
    url.scheme = text.substr(0, scheme_end);
    if (url.scheme != "http" && url.scheme != "https")
        return std::nullopt;
    text.remove_prefix(scheme_end + 3);
    url.has_fragment = text.find('#') != std::string_view::npos;
    text = text.substr(0, text.find('#'));
    url.has_query = text.find('?') != std::string_view::npos;
    text = text.substr(0, text.find('?'));
    auto authority = text.substr(0, text.find('/'));
    url.path = text.substr(authority.size());
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        url.has_user_info = true;
        authority.remove_prefix(at + 1);
    }
    const auto parts = split_authority(authority);
    if (!parts)
        return std::nullopt;
    url.host = parts->host;
    if (parts->port) {
        if (parse_port(*parts->port).value_or(0) == 0)
            return std::nullopt;
        url.port = *parts->port;
    }
    return url;
}

bool is_loopback(std::string_view host)
{
    if (host == "localhost")
        return true;
    in_addr v4{};
    if (::inet_pton(AF_INET, std::string{host}.c_str(), &v4) == 1)
        return (ntohl(v4.s_addr) >> 24U) == 127;
    const auto v6 = parse_ipv6(host);
    return v6 && IN6_IS_ADDR_LOOPBACK(&*v6);
}

} // namespace wxcourier::config
