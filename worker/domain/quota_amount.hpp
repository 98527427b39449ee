// SPDX-License-Identifier: Apache-2.0
/// @file
/// Messages of a call that a day's quota lets through.
#pragma once

#include <cstdint>

namespace wxcourier::domain {

/// Permits of a day's quota, or how many of them were used. A message of high priority uses either kind, the first one
/// first; any other message only the second.
struct quota_amount {
    std::int64_t high = 0;
    std::int64_t normal = 0;

    [[nodiscard]] constexpr std::int64_t all() const noexcept { return high + normal; }
    friend bool operator==(const quota_amount&, const quota_amount&) = default;
    friend constexpr quota_amount operator+(const quota_amount& left, const quota_amount& right) noexcept
    {
        return {left.high + right.high, left.normal + right.normal};
    }
};

/// More than any day's quota.
inline constexpr std::int64_t no_quota_limit = std::int64_t{1} << 50;

/// A day's quota of one call, for the whole group.
struct quota_limit {
    std::int64_t all = 0;
    std::int64_t normal = 0; ///< Of those, permits of the second kind.

    [[nodiscard]] constexpr bool bounded() const noexcept { return all < no_quota_limit; }
    friend bool operator==(const quota_limit&, const quota_limit&) = default;
};

/// Nothing is limited.
inline constexpr quota_limit no_quota{no_quota_limit, no_quota_limit};

/// @param reserve_percent  of `daily`, kept for high priority; rounded up.
/// @param left             of that, what there is for the group.
constexpr quota_limit quota_limit_of(std::int64_t daily, unsigned reserve_percent, std::int64_t left) noexcept
{
    const auto reserve = (daily * static_cast<std::int64_t>(reserve_percent) + 99) / 100;
    return {left, left > reserve ? left - reserve : 0};
}

} // namespace wxcourier::domain
