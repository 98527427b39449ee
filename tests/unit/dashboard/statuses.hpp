// SPDX-License-Identifier: Apache-2.0
/// @file
/// Statuses for the tests of the dashboard.
#pragma once

#include "domain/status_record.hpp"

#include <string>

namespace wxcourier::dashboard_test {

inline constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{12}};

/// A status of `shop` that ended at `at` after `latency`.
inline domain::status_record status_at(wall_time at, domain::job_state state = domain::job_state::sent,
                                       std::string reason = {}, milliseconds latency = milliseconds{100})
{
    domain::status_record status;
    status.id = "order-1";
    status.app = "shop";
    status.kind = "official.template";
    status.touser = "oA1b2C3d4E5f6G7h8I9j0K1l2M3n";
    status.state = state;
    status.reason = std::move(reason);
    status.attempts = 1;
    status.enqueued_at = at - latency;
    if (state != domain::job_state::deferred)
        status.finished_at = at;
    status.source = {"push.jobs", 0, 1};
    status.worker = "worker-1";
    return status;
}

/// A status that waits until `until`; `offset` tells jobs apart.
inline domain::status_record deferred_at(wall_time at, wall_time until, std::int64_t offset = 1,
                                         std::string reason = "quota_exhausted")
{
    auto status = status_at(at, domain::job_state::deferred, std::move(reason));
    status.retry_at = until;
    status.source.offset = offset;
    return status;
}

} // namespace wxcourier::dashboard_test
