// SPDX-License-Identifier: Apache-2.0
/// @file
/// WeChat's calendar, by which its quotas reset: minutes of the clock, and days in China (UTC+8 all the year round).
#pragma once

#include "common/time.hpp"

#include <cstdint>

namespace wxcourier::domain {

/// The start of the next calendar minute: when a minute quota (45011) is full again.
constexpr wall_time next_minute(wall_time now) noexcept
{
    return std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes{1};
}

/// The next 00:00 in UTC+8: when a day quota (45009) is full again.
constexpr wall_time next_day_in_china(wall_time now) noexcept
{
    constexpr std::chrono::hours offset{8};
    return std::chrono::floor<std::chrono::days>(now + offset) + std::chrono::days{1} - offset;
}

/// Which day of WeChat's it is: days since 1970, in UTC+8.
constexpr std::int64_t day_in_china(wall_time now) noexcept
{
    return std::chrono::floor<std::chrono::days>(now + std::chrono::hours{8}).time_since_epoch().count();
}

/// When that day is over: its next_day_in_china.
constexpr wall_time end_of_day_in_china(std::int64_t day) noexcept
{
    return wall_time{std::chrono::days{day + 1}} - std::chrono::hours{8};
}

} // namespace wxcourier::domain
