// SPDX-License-Identifier: Apache-2.0
#include "dashboard/board_query.hpp"

#include <charconv>
#include <chrono>

namespace wxcourier::dashboard {
namespace {

constexpr milliseconds longest_range = std::chrono::hours{24 * 60};

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
            at += 2;
        } else {
            out += text[at] == '+' ? ' ' : text[at];
        }
    }
    return out;
}

std::optional<std::int64_t> number_of(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<milliseconds> duration_of(std::string_view text)
{
    if (text.size() < 2)
        return std::nullopt;
    const auto count = number_of(text.substr(0, text.size() - 1));
    if (!count || *count <= 0 || *count > 100'000)
        return std::nullopt;
    milliseconds unit{};
    switch (text.back()) {
    case 'm':
        unit = std::chrono::minutes{1};
        break;
    case 'h':
        unit = std::chrono::hours{1};
        break;
    case 'd':
        unit = std::chrono::days{1};
        break;
    default:
        return std::nullopt;
    }
    const auto result = unit * *count;
    return result <= longest_range ? std::optional(result) : std::nullopt;
}

std::optional<domain::job_state> state_of(std::string_view word)
{
    for (int number = 0; number <= static_cast<int>(domain::job_state::event); ++number)
        if (to_string(static_cast<domain::job_state>(number)) == word)
            return static_cast<domain::job_state>(number);
    return std::nullopt;
}

/// The years 1970 to 9999: arithmetic on it cannot overflow.
std::optional<wall_time> time_of(std::string_view text)
{
    const auto value = number_of(text);
    if (!value || *value < 0 || *value > 253'402'300'799'999)
        return std::nullopt;
    return wall_time{milliseconds{*value}};
}

bool read(board_query& into, const std::string& name, const std::string& value)
{
    if (name == "app")
        into.app = value;
    else if (name == "kind")
        into.kind = value;
    else if (name == "list")
        into.list_all = value == "all";
    else if (name == "state")
        return (into.state = state_of(value)).has_value();
    else if (name == "from")
        return (into.from = time_of(value)).has_value();
    else if (name == "to")
        return (into.to = time_of(value)).has_value();
    else if (name == "range" && value != "all")
        return (into.last = duration_of(value)).has_value();
    return true;
}

} // namespace

std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text)
{
    std::vector<std::pair<std::string, std::string>> found;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto mark = part.find('=');
        if (!part.empty())
            found.emplace_back(decoded(part.substr(0, mark)),
                               mark == std::string_view::npos ? std::string{} : decoded(part.substr(mark + 1)));
    }
    return found;
}

std::optional<board_query> parse_query(std::string_view text)
{
    board_query query;
    for (const auto& [name, value] : parse_parameters(text))
        if (!read(query, name, value))
            return std::nullopt;
    if (query.to && (!query.from || *query.to <= *query.from))
        return std::nullopt;
    return query;
}

} // namespace wxcourier::dashboard
