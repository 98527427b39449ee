// SPDX-License-Identifier: Apache-2.0
#include "domain/quota_allowance.hpp"

#include <algorithm>
#include <cmath>

namespace wxcourier::domain {
namespace {

/// What was used so long ago weighs a third of what is used now.
constexpr double memory_seconds = 5;

} // namespace

void quota_allowance::on_use(quota_amount spent, quota_amount ready, steady_time now)
{
    if (looked_at_ != steady_time::min()) {
        const auto weight = std::exp(-std::chrono::duration<double>(now - looked_at_).count() / memory_seconds);
        recent_high_ *= weight;
        recent_normal_ *= weight;
    }
    looked_at_ = now;
    recent_high_ += static_cast<double>(std::max<std::int64_t>(0, spent.high - spent_.high));
    recent_normal_ += static_cast<double>(std::max<std::int64_t>(0, spent.normal - spent_.normal));
    if (spent.normal != spent_.normal || ready.all() > 0) // messages of high priority may use those as well
        used_at_[0] = now;
    if (spent.high != spent_.high || ready.high > 0)
        used_at_[1] = now;
    spent_ = spent;
    ready_ = ready;
    note_starving(false, now);
    note_starving(true, now);
}

void quota_allowance::note_starving(bool high, steady_time now) noexcept
{
    auto& since = starves_since_[high ? 1 : 0];
    auto& gave_up = gave_up_[high ? 1 : 0];
    const auto has = rest();
    const bool has_some = has.normal > 0 || (high && has.high > 0);
    if (open_ || !known_ || has_some || left_for(high) > 0) {
        since.reset();
        gave_up = false;
        return;
    }
    if ((high ? ready_.high : ready_.normal) == 0)
        return; // whoever waited has gone to wait elsewhere
    since = since.value_or(now);
    gave_up = gave_up || now - *since >= hopes;
}

void quota_allowance::on_table(const quota_grant& own, quota_limit left, const quota_limit& limit, bool exhausted)
{
    granted_ = own.amount;
    left_ = left;
    limit_ = limit;
    open_ = !limit.bounded();
    exhausted_ = exhausted;
    known_ = true;
    if (own.report >= bound_by_) {
        bound_by_ = 0;
        asked_ = false;
    }
}

quota_amount quota_allowance::cap() const noexcept
{
    if (open_)
        return {no_quota_limit, no_quota_limit};
    if (bound_by_ == 0)
        return granted_;
    return {std::min(granted_.high, kept_.high), std::min(granted_.normal, kept_.normal)};
}

quota_amount quota_allowance::rest() const noexcept
{
    const auto may = cap();
    return {std::max<std::int64_t>(0, may.high - spent_.high), std::max<std::int64_t>(0, may.normal - spent_.normal)};
}

/// Whether so little is left for others that nothing is kept for what may come.
bool quota_allowance::scarce() const noexcept
{
    return known_ && !open_ && left_.all < limit_.all / 10;
}

quota_amount quota_allowance::needs() const noexcept
{
    if (scarce())
        return ready_;
    return {std::max<std::int64_t>(ready_.high, std::llround(recent_high_)),
            std::max<std::int64_t>(ready_.normal, std::llround(recent_normal_))};
}

/// Whether less than half of what it needs is left to it, so that it asks before it has to wait.
bool quota_allowance::lacks(bool high) const noexcept
{
    const auto has = rest();
    const auto wants = needs();
    if (!high)
        return 2 * has.normal < wants.normal;
    return 2 * (has.high + std::max<std::int64_t>(0, has.normal - wants.normal)) < wants.high;
}

bool quota_allowance::used_up(bool high) const noexcept
{
    return !open_ && (exhausted_ || gave_up_[high ? 1 : 0]);
}

/// Whether it has permits of that kind that it has not used for a while, and others may need them.
bool quota_allowance::hoards(bool high, steady_time now) const noexcept
{
    const auto used_at = used_at_[high ? 1 : 0];
    return scarce() && (high ? rest().high : rest().normal) > 0 &&
           (used_at == steady_time::min() || now - used_at >= keeps);
}

bool quota_allowance::due(steady_time now) const noexcept
{
    const auto since = said_at_ == steady_time::min() ? steady_duration::max() : now - said_at_;
    if (refused_ > told_refused_)
        return since >= ask_interval;
    if (open_)
        return said_at_ == steady_time::min() && spent_.all() > 0; // that the call is in use is worth one word a day
    if (exhausted_)
        return false;
    if ((hoards(true, now) || hoards(false, now)) && since >= ask_interval)
        return true;
    if (lacks(true) || lacks(false)) {
        const bool hopes_for_some =
            !known_ || (lacks(true) && left_for(true) > 0) || (lacks(false) && left_for(false) > 0);
        if (!hopes_for_some && ready_.all() == 0)
            return false;
        if (!hopes_for_some)
            return since >= (gave_up_[0] || gave_up_[1] ? ask_without_hope : ask_in_vain);
        // One that still has some has been told to use that first.
        const auto again = rest().all() == 0 ? 4 * ask_interval : milliseconds(ask_again);
        return since >= (asked_ ? again : ask_interval);
    }
    return false;
}

quota_demand quota_allowance::say(std::uint64_t report, steady_time now)
{
    const bool asks = !open_ && !exhausted_ && (lacks(true) || lacks(false));
    said_at_ = now;
    quota_demand said;
    said.spent = spent_;
    said.kept = cap();
    if (hoards(true, now))
        said.kept.high = spent_.high;
    if (hoards(false, now))
        said.kept.normal = spent_.normal;
    if (asks)
        said.wanted = needs();
    said.refused = told_refused_ = refused_;
    kept_ = said.kept;
    bound_by_ = report;
    asked_ = asks;
    return said;
}

quota_demand quota_allowance::give_back(std::uint64_t report)
{
    quota_demand said;
    said.spent = said.kept = kept_ = spent_;
    said.refused = told_refused_ = refused_;
    bound_by_ = report;
    return said;
}

} // namespace wxcourier::domain
