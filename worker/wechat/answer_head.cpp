// SPDX-License-Identifier: Apache-2.0
#include "wechat/answer_head.hpp"

#include "wechat/response_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace wxcourier::wechat {
namespace {

/// What may stand in a header's name (RFC 9110 5.6.2), in lower case; 0: nothing.
constexpr auto name_characters = [] {
    std::array<char, 256> table{};
    for (const char each : std::string_view{"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"})
        table.at(static_cast<unsigned char>(each)) = each;
    for (char each = 'A'; each <= 'Z'; ++each)
        table.at(static_cast<unsigned char>(each)) = static_cast<char>(each | 0x20);
    return table;
}();

/// What may stand in a value or a reason: nothing below a blank, not even the tab, which is allowed and never comes.
bool is_plain(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char each) {
        return static_cast<unsigned char>(each) >= 0x20 && static_cast<unsigned char>(each) != 0x7F;
    });
}

bool equal_names(std::string_view name, std::string_view lower) noexcept
{
    return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                      [](char left, char right) { return name_characters[static_cast<unsigned char>(left)] == right; });
}

/// Takes a line off the text, without its end. Empty: there is none, or it ends otherwise than with CRLF.
std::optional<std::string_view> take_line(std::string_view& text) noexcept
{
    const auto end = text.find('\n');
    if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r')
        return std::nullopt;
    const auto line = text.substr(0, end - 1);
    text.remove_prefix(end + 1);
    return line;
}

/// `HTTP/1.1 200 OK` → 200; 0: anything that asks for more thought, such as one without a body.
int read_status(std::string_view line) noexcept
{
    constexpr std::string_view version = "HTTP/1.1 ";
    if (!line.starts_with(version) || line.size() < version.size() + 4 || line[version.size() + 3] != ' ' ||
        !is_plain(line))
        return 0;
    int status = 0;
    const char* const digits = line.data() + version.size();
    const auto [end, error] = std::from_chars(digits, digits + 3, status);
    return error == std::errc{} && end == digits + 3 && status >= 200 && status <= 599 && status != 204 && status != 304
               ? status
               : 0;
}

enum class header : std::uint8_t { indifferent, length, keeps_alive, matters };

header judge(std::string_view name, std::string_view value) noexcept
{
    switch (name.size()) { // Most names are none of these by their length.
    case 7:
        return equal_names(name, "upgrade") || equal_names(name, "trailer") ? header::matters : header::indifferent;
    case 10:
        if (!equal_names(name, "connection"))
            return header::indifferent;
        return equal_names(value, "keep-alive") ? header::keeps_alive : header::matters;
    case 11:
        return equal_names(name, "retry-after") ? header::matters : header::indifferent;
    case 14:
        return equal_names(name, "content-length") ? header::length : header::indifferent;
    case 16:
        return equal_names(name, "proxy-connection") ? header::matters : header::indifferent;
    case 17:
        return equal_names(name, "transfer-encoding") ? header::matters : header::indifferent;
    default:
        return header::indifferent;
    }
}

} // namespace

std::optional<answer_head> read_usual_head(std::string_view received) noexcept
{
    auto rest = received.substr(0, response_reader::longest_head);
    const auto bound = rest.size();
    answer_head head;
    const auto status_line = take_line(rest);
    if (!status_line || (head.status = read_status(*status_line)) == 0)
        return std::nullopt;
    bool has_length = false;
    for (;;) {
        const auto line = take_line(rest);
        if (!line)
            return std::nullopt;
        if (line->empty())
            break;
        const auto colon = line->find(':');
        if (colon == std::string_view::npos || colon == 0)
            return std::nullopt;
        const auto name = line->substr(0, colon);
        auto value = line->substr(colon + 1);
        if (value.starts_with(' '))
            value.remove_prefix(1);
        const bool named = std::all_of(
            name.begin(), name.end(), [](char each) { return name_characters[static_cast<unsigned char>(each)] != 0; });
        if (!named || !is_plain(value))
            return std::nullopt;
        switch (judge(name, value)) {
        case header::indifferent:
        case header::keeps_alive:
            break;
        case header::length: {
            const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head.body_length);
            if (std::exchange(has_length, true) || error != std::errc{} || end != value.data() + value.size())
                return std::nullopt;
            break;
        }
        case header::matters:
            return std::nullopt;
        }
    }
    if (!has_length || head.body_length > response_reader::longest_body)
        return std::nullopt;
    head.size = bound - rest.size();
    return head;
}

} // namespace wxcourier::wechat
