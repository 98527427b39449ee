// SPDX-License-Identifier: Apache-2.0
/// @file
/// The rate limit of an app: a token bucket in its exact form, the generic cell rate algorithm (ITU-T I.371).
#pragma once

#include "common/time.hpp"

namespace wxcourier::domain {

/// Grants at most `burst + rate × window` permits in any window, exactly: it keeps one time in whole nanoseconds
/// instead of a level that would gather rounding errors. Starts full. Pure: the caller brings the time. Not
/// thread-safe.
class token_bucket {
public:
    /// @param per_second  greater than zero.
    /// @param burst       at least 1: permits that may be taken at once.
    token_bucket(double per_second, double burst);

    /// Takes a permit. False: none is left before `next_at`.
    [[nodiscard]] bool try_take(steady_time now) noexcept;

    /// When the next permit is there; not later than `now` where there is one already.
    [[nodiscard]] steady_time next_at() const noexcept { return next_free_ - tolerance_; }

    /// Changes the rate; what was taken under the old one stays taken.
    void set_rate(double per_second, double burst) noexcept;

    /// Changes the rate to a share of one that several buckets divide among them, so that all of them together never
    /// grant more than one would: a raise brings no permits with it, they come at the new rate; what is there beyond
    /// the new burst goes.
    /// @param per_second  0 or more. With 0 no permit comes.
    /// @param burst       0 or more; less than 1 still grants single permits, at the rate.
    void share_rate(double per_second, double burst, steady_time now) noexcept;

    /// Lends the bucket a share of a rate that holds for a group (`share_rate`): from `until` on it grants nothing.
    /// Where the last loan had ended meanwhile, others may have used it, so the bucket begins empty.
    void lend(double per_second, double burst, steady_time until, steady_time now) noexcept;
    /// Until when it grants; the end of time where nothing was lent.
    [[nodiscard]] steady_time lent_until() const noexcept { return lent_until_; }

private:
    steady_duration interval_;  ///< Between two permits at the sustained rate.
    steady_duration tolerance_; ///< How far ahead of the sustained rate a burst may run.
    steady_time next_free_;     ///< When the sustained rate has made up for everything taken.
    steady_time lent_until_ = steady_time::max();
    double lent_rate_ = -1; ///< Of the last loan.
    double lent_burst_ = -1;
};

} // namespace wxcourier::domain
