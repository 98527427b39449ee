// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which messages wait now, and until when: those whose last status is `deferred`.
#pragma once

#include "common/time.hpp"
#include "dashboard/tally.hpp"
#include "domain/status_record.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace wxcourier::dashboard {

class waiting_messages {
public:
    struct wait {
        wall_time since;
        wall_time until;
        series_id series = 0;
    };

    /// @param most  messages remembered; further ones are only counted as unknown.
    explicit waiting_messages(std::size_t most = 100'000) : most_(most) {}

    /// A status of this time. @param past  read from the history, behind statuses that are newer than it.
    void on_status(const domain::status_record& status, series_id series, wall_time at, bool past);
    /// Statuses of messages enqueued before this time may still be read from the history: the end of such a message is
    /// remembered, since what deferred it comes later.
    void expect_history_before(wall_time time) { history_before_ = time; }
    void history_is_complete();
    /// Forgets what should have been looked at again a week ago: its statuses will not come any more.
    void forget_stale(wall_time now);

    [[nodiscard]] const std::unordered_map<std::uint64_t, wait>& waits() const noexcept { return waits_; }
    /// Some may be missing.
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

private:
    std::size_t most_;
    std::unordered_map<std::uint64_t, wait> waits_;
    std::unordered_set<std::uint64_t> ended_; ///< Only while the history is being read.
    wall_time history_before_{};
    bool overflowed_ = false;
};

} // namespace wxcourier::dashboard
