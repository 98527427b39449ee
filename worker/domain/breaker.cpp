// SPDX-License-Identifier: Apache-2.0
#include "domain/breaker.hpp"

namespace wxcourier::domain {

bool breaker::on_success() noexcept
{
    const bool changed = state_ != breaker_state::closed;
    state_ = breaker_state::closed;
    failures_ = 0;
    openings_ = 0;
    return changed;
}

bool breaker::on_failure(steady_time now, double jitter) noexcept
{
    ++failures_;
    if (state_ == breaker_state::open || (state_ == breaker_state::closed && failures_ < limits_.failures_to_open))
        return false;
    state_ = breaker_state::open;
    // At least half of the wait, so that a run of small draws is no hammering.
    probe_at_ = now + backoff_delay(limits_.open_for, openings_++, 0.5 + jitter / 2);
    return true;
}

void breaker::on_probe_time() noexcept
{
    if (state_ == breaker_state::open)
        state_ = breaker_state::half_open;
}

} // namespace wxcourier::domain
