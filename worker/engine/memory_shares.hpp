// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each app has in memory, and how much more it may have: an app that is slow or stands still must not fill the
/// memory in which the others work.
#pragma once

#include "domain/push_job.hpp"
#include "domain/send_queue.hpp"
#include "domain/spill_pace.hpp"
#include "engine/memory_budget.hpp"
#include "engine/options.hpp"

#include <cstddef>
#include <deque>

namespace wxcourier::engine {

/// An app may hold as much as is free besides (twice that for `high`): one alone gets half of all there is, two get a
/// third each, and some is always left for who comes next, without anybody knowing who that will be. Must outlive the
/// permits it gave. Not thread-safe.
class memory_shares {
public:
    explicit memory_shares(const engine_options& options);

    /// Another app, by the next index.
    void add_app(const app_options& app);

    /// Counts bytes of a job.
    [[nodiscard]] memory_budget::permit hold(domain::app_index app, std::size_t bytes)
    {
        return {apps_[app].bytes, bytes};
    }
    void add_message(domain::app_index app) { ++apps_[app].messages; }
    void remove_message(domain::app_index app) { --apps_[app].messages; }

    /// Whether so many more messages are beyond the app's share. An app without any may always have some.
    /// @param used_messages, used_bytes  by all apps together; the job's own bytes included.
    [[nodiscard]] bool full(domain::app_index app, domain::priority urgency, std::size_t messages,
                            std::size_t used_messages, std::size_t used_bytes) const;

    [[nodiscard]] domain::spill_pace& pace(domain::app_index app) { return apps_[app].pace; }

    /// A message of the app has come to its end.
    void note_ended(domain::app_index app)
    {
        apps_[app].pace.note_ended(1);
        ++apps_[app].ended;
    }

    /// Called every 100 ms.
    void look_who_is_quick() noexcept;
    /// How many more messages are worth reading. Where a quick app has about as many requests under way as it may, what
    /// it sends in the next moment is enough: a job that lies long before its turn has left the processor's caches by
    /// then, which costs 3 µs a push, and 15 MB. An app of which it is not known yet counts as quick.
    /// @param uncommitted  messages that were sent and hold others back until they are committed.
    [[nodiscard]] std::size_t worth_reading(const domain::send_queue& queue, std::size_t uncommitted,
                                            std::size_t in_flight_limit) const;

    /// Called about once a second.
    /// @param blocked  the app may not send at all.
    /// @param queued   messages of it are in line.
    /// @param sending  and some are under way.
    void measure(domain::app_index app, steady_time now, bool blocked, bool queued, bool sending);
    /// Whether what fills its share is worth waiting for: it sends fast, and is not held up for more than a moment.
    [[nodiscard]] bool is_fast(domain::app_index app) const;

private:
    struct account {
        memory_budget bytes;
        std::size_t messages = 0;
        domain::spill_pace pace;
        std::size_t ended = 0; ///< Since look_who_is_quick() …
        int slow_looks = 0;    ///< … which so often in a row found few.
        int seconds_blocked = 0;
        explicit account(double rate) : pace(rate) {}

        /// So many looks in a row make an app slow: a pause of less than half a second changes nothing.
        static constexpr int slow_after = 5;
        [[nodiscard]] bool quick() const noexcept { return slow_looks < slow_after; }
    };

    const engine_options& options_;
    std::deque<account> apps_;
};

} // namespace wxcourier::engine
