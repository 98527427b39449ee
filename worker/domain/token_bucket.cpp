// SPDX-License-Identifier: Apache-2.0
#include "domain/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace wxcourier::domain {
namespace {

/// A permit in eleven days: none, for what a share of nothing is used for.
constexpr double slowest = 1e-6;
/// At the slowest rate more would be beyond what a time can hold.
constexpr double most_owed = 4096;

} // namespace

token_bucket::token_bucket(double per_second, double burst)
    : next_free_(steady_time::min() + std::chrono::hours(24 * 365))
{
    set_rate(per_second, burst);
}

bool token_bucket::try_take(steady_time now) noexcept
{
    if (now < next_at() || now >= lent_until_)
        return false;
    next_free_ = std::max(next_free_, now) + interval_;
    return true;
}

void token_bucket::set_rate(double per_second, double burst) noexcept
{
    // Rounded up, so that rounding never grants more than the rate.
    interval_ = steady_duration(static_cast<steady_duration::rep>(std::ceil(1e9 / per_second)));
    tolerance_ =
        steady_duration(static_cast<steady_duration::rep>(static_cast<double>(interval_.count()) * (burst - 1)));
}

void token_bucket::share_rate(double per_second, double burst, steady_time now) noexcept
{
    const auto interval = static_cast<double>(interval_.count());
    const double owed = next_free_ <= now ? 0 : static_cast<double>((next_free_ - now).count()) / interval;
    // Below zero where a lower burst holds now than when they were taken: that stays owed.
    const double held = std::max(-most_owed, static_cast<double>(tolerance_.count()) / interval + 1 - owed);
    const double capacity = std::max(burst, 1.0);
    set_rate(std::max(per_second, slowest), capacity);
    const double missing = capacity - std::min(held, burst);
    next_free_ =
        now +
        steady_duration(static_cast<steady_duration::rep>(std::ceil(missing * static_cast<double>(interval_.count()))));
}

void token_bucket::lend(double per_second, double burst, steady_time until, steady_time now) noexcept
{
    const bool first = lent_rate_ < 0;
    const bool had_ended = now >= lent_until_;
    if (first || had_ended)
        share_rate(0, 0, now);
    // What only goes on is left as it is: to count it anew would round it down each time.
    if (first || had_ended || per_second != lent_rate_ || burst != lent_burst_)
        share_rate(per_second, burst, now);
    lent_rate_ = per_second;
    lent_burst_ = burst;
    lent_until_ = until;
}

} // namespace wxcourier::domain
