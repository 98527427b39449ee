// SPDX-License-Identifier: Apache-2.0
#include "dashboard/waiting_messages.hpp"

#include "dashboard/kept_record.hpp"

#include <chrono>
#include <string>

namespace wxcourier::dashboard {
namespace {

constexpr auto stale_after = std::chrono::hours{24 * 7};

std::uint64_t key_of(const domain::status_record& status)
{
    std::string key = to_string(status.source);
    key += ' ';
    if (status.touser)
        key += *status.touser;
    return hash_of(key);
}

/// Whether the state says how a message ended.
bool is_end(domain::job_state state)
{
    using enum domain::job_state;
    return state == sent || state == failed || state == expired || state == rejected || state == simulated;
}

} // namespace

void waiting_messages::on_status(const domain::status_record& status, series_id series, wall_time at, bool past)
{
    const bool deferred = status.state == domain::job_state::deferred && status.retry_at;
    if (!deferred && !is_end(status.state))
        return;
    if (!deferred && waits_.empty() && (past || status.enqueued_at >= history_before_))
        return;
    const auto key = key_of(status);
    const auto known = waits_.find(key);
    if (!deferred) {
        if (known != waits_.end())
            waits_.erase(known);
        if (!past && status.enqueued_at < history_before_ && ended_.size() < 4 * most_)
            ended_.insert(key);
        return;
    }
    if (known != waits_.end()) {
        if (at >= known->second.since)
            known->second = {at, *status.retry_at, series};
        return;
    }
    if (past && ended_.contains(key))
        return;
    if (waits_.size() >= most_) {
        overflowed_ = true;
        return;
    }
    waits_.emplace(key, wait{at, *status.retry_at, series});
}

void waiting_messages::history_is_complete()
{
    history_before_ = {};
    ended_ = {};
}

void waiting_messages::forget_stale(wall_time now)
{
    std::erase_if(waits_, [now](const auto& each) { return each.second.until + stale_after < now; });
    if (waits_.empty())
        overflowed_ = false;
}

} // namespace wxcourier::dashboard
