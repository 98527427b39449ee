// SPDX-License-Identifier: Apache-2.0
#include "common/rfc3339.hpp"

#include <algorithm>
#include <charconv>

namespace wxcourier {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// Reads exactly `count` digits from the front of `text` and drops them. Empty: something else stands there.
std::optional<int> take_digits(std::string_view& text, std::size_t count)
{
    if (text.size() < count)
        return std::nullopt;
    int value = 0;
    const auto* const end = text.data() + count;
    const auto [parsed_to, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || parsed_to != end || text.front() == '-')
        return std::nullopt;
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view accepted)
{
    if (text.empty() || accepted.find(text.front()) == std::string_view::npos)
        return false;
    text.remove_prefix(1);
    return true;
}

/// The fraction behind a decimal point, cut (not rounded) to milliseconds.
std::optional<milliseconds> take_fraction(std::string_view& text)
{
    if (!take(text, "."))
        return milliseconds{0};
    int value = 0;
    int scale = 100;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
        value += (text[digits] - '0') * scale;
        scale /= 10;
    }
    if (digits == 0)
        return std::nullopt;
    text.remove_prefix(digits);
    return milliseconds{value};
}

std::optional<minutes> take_offset(std::string_view& text)
{
    if (take(text, "Zz"))
        return minutes{0};
    const bool west = !text.empty() && text.front() == '-';
    if (!take(text, "+-"))
        return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ":"))
        return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *hour > 23 || *minute > 59)
        return std::nullopt;
    const auto offset = hours{*hour} + minutes{*minute};
    return west ? -offset : offset;
}

/// Writes `value` right-aligned over the `count` zeros that stand at `at`.
void write_digits(rfc3339_text& text, std::size_t at, std::size_t count, int value) noexcept
{
    for (; count > 0; value /= 10)
        text[at + --count] = static_cast<char>('0' + value % 10);
}

} // namespace

rfc3339_text write_rfc3339(wall_time time) noexcept
{
    constexpr wall_time first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    constexpr wall_time last = wall_time{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}} - milliseconds{1};
    time = std::clamp(time, first, last);
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    // Digit by digit: every status carries two of these, and snprintf would be most of what it costs.
    rfc3339_text text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                      '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
    write_digits(text, 0, 4, static_cast<int>(date.year()));
    write_digits(text, 5, 2, static_cast<int>(static_cast<unsigned>(date.month())));
    write_digits(text, 8, 2, static_cast<int>(static_cast<unsigned>(date.day())));
    write_digits(text, 11, 2, static_cast<int>(clock.hours().count()));
    write_digits(text, 14, 2, static_cast<int>(clock.minutes().count()));
    write_digits(text, 17, 2, static_cast<int>(clock.seconds().count()));
    write_digits(text, 20, 3, static_cast<int>(clock.subseconds().count()));
    return text;
}

std::string format_rfc3339(wall_time time)
{
    const rfc3339_text text = write_rfc3339(time);
    return {text.data(), text.size()};
}

std::optional<wall_time> parse_rfc3339(std::string_view text)
{
    const auto year = take_digits(text, 4);
    if (!year || !take(text, "-"))
        return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, "-"))
        return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || !take(text, "Tt "))
        return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ":"))
        return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || !take(text, ":"))
        return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second)
        return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction)
        return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty())
        return std::nullopt;
    const auto date = std::chrono::year{*year} / *month / *day;
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    return std::chrono::sys_days{date} + hours{*hour} + minutes{*minute} + std::chrono::seconds{*second} + *fraction -
           *offset;
}

} // namespace wxcourier
