// SPDX-License-Identifier: Apache-2.0
#include "wechat/http_request.hpp"

#include <array>
#include <charconv>

namespace wxcourier::wechat {
namespace {

bool is_unreserved(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-' || letter == '_' || letter == '.' || letter == '~';
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
    for (const char letter : text) {
        if (is_unreserved(letter)) {
            out += letter;
        } else {
            const auto byte = static_cast<unsigned char>(letter);
            out += '%';
            out += hex[byte >> 4U];
            out += hex[byte & 0xfU];
        }
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
    if (is_post) {
        out += json_length_;
        append_number(out, request.body.size());
        out += "\r\n";
    }
    out += "\r\n";
    if (is_post) {
        out += request.body;
    }
}

} // namespace wxcourier::wechat
