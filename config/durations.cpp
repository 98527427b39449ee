// SPDX-License-Identifier: Apache-2.0
#include "config/durations.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace wxcourier::config {

namespace {

struct unit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<unit, 5> units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

} // namespace

std::variant<milliseconds, duration_problem> parse_duration(std::string_view text)
{
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    if (digits.empty())
        return duration_problem::not_a_duration;
    const auto name = text.substr(digits.size());
    if (name.empty())
        return duration_problem::no_unit;
    for (const auto& each : units) {
        if (each.name != name)
            continue;
        std::int64_t count = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
        if (read.ec != std::errc{} || count > std::numeric_limits<std::int64_t>::max() / each.milliseconds)
            return duration_problem::too_long;
        return milliseconds{count * each.milliseconds};
    }
    return duration_problem::not_a_duration;
}

std::string format_duration(milliseconds time)
{
    for (const auto& each : units)
        if (time.count() != 0 && time.count() % each.milliseconds == 0)
            return std::to_string(time.count() / each.milliseconds) + std::string{each.name};
    return std::to_string(time.count()) + "ms";
}

} // namespace wxcourier::config
