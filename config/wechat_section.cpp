// SPDX-License-Identifier: Apache-2.0
#include "config/file_reader.hpp"
#include "config/network_address.hpp"
#include "config/sections.hpp"

#include <algorithm>

namespace wxcourier::config {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view expected_url = "https://HOST or https://HOST:PORT";
constexpr std::size_t max_ca_bytes = std::size_t{16} * 1024 * 1024;

/// What keeps a URL from being a base URL. Empty: nothing. No URL is shown: one with a password in it may be here.
std::string_view base_url_problem(const url_parts& url)
{
    if (url.has_user_info)
        return "has a user name or password in it";
    if (!url.path.empty() && url.path != "/")
        return "has a path";
    if (url.has_query || url.has_fragment)
        return "has a query or fragment";
    if (url.scheme == "http" && !is_loopback(url.host))
        return "is plain http to another machine";
    return {};
}

void read_base_url(const setting& from, std::vector<std::string>& into)
{
    auto text = from.text(expected_url);
    if (!text)
        return;
    const auto url = parse_url(*text);
    if (!url) {
        from.error("is not a URL, expected " + std::string{expected_url});
        return;
    }
    if (const auto problem = base_url_problem(*url); !problem.empty()) {
        from.error(std::string{problem} + ", expected " + std::string{expected_url});
        return;
    }
    if (url->scheme == "http")
        from.warning("is plain http, expected https outside of tests");
    if (text->ends_with('/'))
        text->pop_back();
    if (std::find(into.begin(), into.end(), *text) != into.end())
        from.error("stands in the list already, expected each URL once");
    else
        into.push_back(std::move(*text));
}

void read_base_urls(const setting& from, std::vector<std::string>& into)
{
    if (!from.given())
        return;
    const auto items = from.items("a list of " + std::string{expected_url});
    if (from.is(yaml_node::kind::sequence) && items.empty())
        from.error("is an empty list, expected " + std::string{expected_url});
    into.clear();
    for (const auto& item : items)
        read_base_url(item, into);
}

} // namespace

void read_ca_file(const setting& from, std::optional<std::string>& into)
{
    if (!from.given() || from.is(yaml_node::kind::null))
        return;
    auto path = from.text("the path of a PEM file, or null");
    if (!path)
        return;
    if (from.context().want == secrets::required) {
        const auto read = read_file(*path, max_ca_bytes, file_kind::regular);
        if (!read.failure.empty()) {
            from.error("names a file that " + read.failure + ", expected a PEM file with CA certificates");
            return;
        }
        if (read.text.find("-----BEGIN ") == std::string::npos) {
            from.error("names a file without a certificate, expected a PEM file with CA certificates");
            return;
        }
    }
    into = std::move(*path);
}

void read_wechat(mapping& keys, wechat_settings& into)
{
    read_base_urls(keys["base_urls"], into.base_urls);
    read_ca_file(keys["ca_file"], into.ca_file);
    keys["connect_timeout"].read(into.connect_timeout, 1ms, 5min);
    keys["request_timeout"].read(into.request_timeout, 1ms, 5min);
}

} // namespace wxcourier::config
