// SPDX-License-Identifier: Apache-2.0
/// @file
/// WeChat's calendar: quotas count by calendar minute, and by calendar day in China (UTC+8, no summer time).
#pragma once

#include "common/time.hpp"

#include <cstdint>

namespace wxcourier::simulator {

/// Minutes since the epoch.
inline std::int64_t minute_number(wall_time now) noexcept
{
    return std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count();
}

/// Days since the epoch, as China counts them.
inline std::int64_t day_number(wall_time now) noexcept
{
    return std::chrono::floor<std::chrono::days>(now + std::chrono::hours{8}).time_since_epoch().count();
}

/// Months since year 0, as China counts them.
inline std::int64_t month_number(wall_time now) noexcept
{
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(now + std::chrono::hours{8})};
    return static_cast<std::int64_t>(static_cast<int>(date.year())) * 12 + static_cast<unsigned>(date.month());
}

} // namespace wxcourier::simulator
