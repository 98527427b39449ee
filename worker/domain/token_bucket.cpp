// SPDX-License-Identifier: Apache-2.0
#include "domain/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace wxcourier::domain {

token_bucket::token_bucket(double per_second, double burst)
    : next_free_(steady_time::min() + std::chrono::hours(24 * 365))
{
    set_rate(per_second, burst);
}

bool token_bucket::try_take(steady_time now) noexcept
{
    if (now < next_at())
        return false;
    next_free_ = std::max(next_free_, now) + interval_;
    return true;
}

steady_time token_bucket::reserve(steady_time now) noexcept
{
    const auto at = std::max(now, next_at());
    next_free_ = std::max(next_free_, at) + interval_;
    return at;
}

void token_bucket::set_rate(double per_second, double burst) noexcept
{
    // Rounded up, so that rounding never grants more than the rate.
    interval_ = steady_duration(static_cast<steady_duration::rep>(std::ceil(1e9 / per_second)));
    tolerance_ =
        steady_duration(static_cast<steady_duration::rep>(static_cast<double>(interval_.count()) * (burst - 1)));
}

} // namespace wxcourier::domain
