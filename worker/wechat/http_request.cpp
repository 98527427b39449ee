// SPDX-License-Identifier: Apache-2.0
#include "wechat/http_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace wxcourier::wechat {
namespace {

constexpr auto unreserved = [] {
    std::array<bool, 256> table{};
    for (const char letter : std::string_view{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"})
        table.at(static_cast<unsigned char>(letter)) = true;
    return table;
}();

bool is_unreserved(char letter)
{
    return unreserved[static_cast<unsigned char>(letter)];
}

void append_number(std::string& out, std::size_t number)
{
    std::array<char, 24> digits{};
    const auto result = std::to_chars(digits.begin(), digits.end(), number);
    out.append(digits.data(), result.ptr);
}

} // namespace

void append_percent_encoded(std::string& out, std::string_view text)
{
    static constexpr std::string_view hex = "0123456789ABCDEF";
    for (;;) {
        // A token is one such run, as a rule.
        const auto run = std::find_if_not(text.begin(), text.end(), is_unreserved);
        out.append(text.begin(), run);
        if (run == text.end()) {
            return;
        }
        const auto byte = static_cast<unsigned char>(*run);
        out += '%';
        out += hex[byte >> 4U];
        out += hex[byte & 0xfU];
        text.remove_prefix(static_cast<std::size_t>(run - text.begin()) + 1);
    }
}

request_writer::request_writer(const base_url& url, std::string_view user_agent)
    : post_("POST " + url.prefix), get_("GET " + url.prefix),
      headers_(" HTTP/1.1\r\nHost: " + url.authority + "\r\nUser-Agent: " + std::string(user_agent) + "\r\n"),
      json_length_("Content-Type: application/json\r\nContent-Length: ")
{
}

void request_writer::write(const http_request& request, std::string& out) const
{
    const bool is_post = request.method == http_request::verb::post;
    out.clear();
    out += is_post ? post_ : get_;
    out += request.path;
    char separator = '?';
    for (const query_parameter& parameter : request.query) {
        out += separator;
        out += parameter.name;
        out += '=';
        append_percent_encoded(out, parameter.value);
        separator = '&';
    }
    out += headers_;
    for (const request_header& header : request.headers) {
        out += header.name;
        out += ": ";
        out += header.value;
        out += "\r\n";
    }
    if (is_post) {
        out += json_length_;
        append_number(out, request.body.size());
        out += "\r\n";
    }
    out += "\r\n";
    if (is_post) {
        out += request.body.start;
        out += request.body.end;
    }
}

} // namespace wxcourier::wechat
