// SPDX-License-Identifier: Apache-2.0
#include "wechat/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace wxcourier::wechat {
namespace {

constexpr seconds longest = std::chrono::hours(24);

std::optional<std::int64_t> parse_number(std::string_view digits)
{
    std::int64_t number = 0;
    if (digits.empty() || digits.front() == '-') {
        return {};
    }
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (end != digits.data() + digits.size()) {
        return {};
    }
    return error == std::errc::result_out_of_range ? longest.count() : number;
}

std::optional<unsigned> parse_month(std::string_view name)
{
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto* const found = std::find(months.begin(), months.end(), name);
    if (found == months.end()) {
        return {};
    }
    return static_cast<unsigned>(found - months.begin()) + 1;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`: every part has its place.
std::optional<wall_time> parse_http_date(std::string_view text)
{
    static constexpr std::string_view shape = "Xxx, 00 Xxx 0000 00:00:00 GMT";
    if (text.size() != shape.size() || text.substr(25) != " GMT" || text[3] != ',') {
        return {};
    }
    const auto day = parse_number(text.substr(5, 2));
    const auto month = parse_month(text.substr(8, 3));
    const auto year = parse_number(text.substr(12, 4));
    const auto hour = parse_number(text.substr(17, 2));
    const auto minute = parse_number(text.substr(20, 2));
    const auto second = parse_number(text.substr(23, 2));
    if (!day || !month || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) {
        return {};
    }
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) {
        return {};
    }
    return wall_time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           seconds(*second);
}

} // namespace

std::optional<seconds> parse_retry_after(std::string_view text, wall_time now)
{
    if (const auto number = parse_number(text)) {
        return std::min(seconds(*number), longest);
    }
    if (const auto date = parse_http_date(text)) {
        return std::clamp(std::chrono::ceil<seconds>(*date - now), seconds(0), longest);
    }
    return {};
}

} // namespace wxcourier::wechat
