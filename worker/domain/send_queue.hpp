// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which message is sent next. Everything that makes a message wait is decided here (its own time, the app's rate and
/// concurrency, a park of the app's call, a halted or paused app), so that a wait holds no sender and no app can starve
/// another.
#pragma once

#include "common/time.hpp"
#include "domain/push_job.hpp"
#include "domain/token_bucket.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace wxcourier::domain {

/// Names a message in the queue; the caller's own number, each in the queue once.
using queue_item = std::uint32_t;
using app_index = std::uint32_t;

/// The messages of one app for one of WeChat's calls: what WeChat's quotas park together.
struct lane {
    app_index app = 0;
    std::uint32_t call = 0; ///< Index of the kind in `all_kinds()`.
};

/// Why an app sends nothing. Any of them is enough.
enum class block_reason : std::uint8_t {
    no_token = 1,     ///< It has no access token at the moment.
    halted = 2,       ///< Its credentials or its account need a person.
    paused = 4,       ///< An operator said so.
    breaker_open = 8, ///< WeChat cannot be reached.
    unagreed = 16,    ///< What operators have paused is not known yet: the group's log has not been read so far.
};

/// The day's quota as it is configured: of each lane of the app by itself, for the whole group.
struct quota_limits {
    std::optional<std::uint64_t> daily; ///< Messages a day (UTC+8). Empty: what WeChat says.
    unsigned reserve_percent = 0;       ///< The part that only messages of high priority may use. 0 to 90.
};

/// One recipient gets at most `max` messages of an app in any span of `window`.
struct recipient_limit {
    std::uint32_t max = 1;
    milliseconds window{};
};

struct app_limits {
    double rate_per_second = 200;
    double burst = 50;
    std::size_t concurrency = 256;
    std::size_t calls = 8; ///< How many lanes it has.
    quota_limits quota{};
    std::uint32_t weight = 1; ///< Turns it gets, compared with other apps. 1 to 100.
    std::optional<recipient_limit> per_recipient{};
};

/// All messages that are in memory and not under way. Apps take turns, one message each; within an app its lanes take
/// turns; within a lane `high` goes first, with every eighth turn left to `normal` and every eighth of those to `low`.
/// Pure: the caller brings the time. Not thread-safe.
class send_queue {
public:
    explicit send_queue(const std::vector<app_limits>& apps);

    /// Puts a message in line, ready at `ready_at` (at once when that is past).
    void push(queue_item item, lane where, priority urgency, steady_time ready_at);

    /// The next message that may go now; it holds one permit of its app's rate and concurrency. Empty: none may.
    [[nodiscard]] std::optional<queue_item> pop(steady_time now);

    /// A popped message was held up before its request: when it may go, so that what one commit lets go together keeps
    /// the rate all the same. Counts as its permit from then on.
    [[nodiscard]] steady_time resume_at(app_index app, steady_time now) noexcept;

    /// A popped message's request has ended, or was never made: gives its concurrency permit back.
    void release(app_index app);

    void block(app_index app, block_reason reason, steady_time now);
    void unblock(app_index app, block_reason reason, steady_time now);
    [[nodiscard]] bool blocked(app_index app) const noexcept { return apps_[app].blocks != 0; }
    [[nodiscard]] bool blocked(app_index app, block_reason reason) const noexcept;

    /// Holds a lane back until `until`; an earlier end than the one in force is ignored.
    void park(lane where, steady_time until, steady_time now);
    [[nodiscard]] std::optional<steady_time> parked_until(lane where, steady_time now) const noexcept;

    /// An operator pauses a lane, or lets it go on. Parks of the lane run on meanwhile.
    void pause(lane where, bool paused, steady_time now);
    [[nodiscard]] bool paused(lane where) const noexcept { return apps_[where.app].lanes[where.call].paused; }

    void set_rate(app_index app, double per_second, double burst);
    /// See token_bucket::share_rate.
    void share_rate(app_index app, double per_second, double burst, steady_time now);
    /// At most this many requests of the app at once from now on; those under way go on.
    void set_concurrency(app_index app, std::size_t limit);

    /// When `pop` may give something that it does not give now. Empty: not by time alone.
    [[nodiscard]] std::optional<steady_time> next_wakeup() const noexcept;

    /// The lane's own clock: stands still while the lane is parked or paused, or its app blocked. Measures
    /// `give_up_after`.
    [[nodiscard]] steady_duration active_time(lane where, steady_time now) const noexcept;

    /// Takes out every message for which `gone` says so.
    void remove_if(const std::function<bool(queue_item)>& gone);

    [[nodiscard]] std::size_t queued(app_index app) const noexcept { return apps_[app].queued; }
    [[nodiscard]] std::size_t in_flight(app_index app) const noexcept { return apps_[app].in_flight; }

private:
    struct lane_state {
        std::array<std::deque<queue_item>, priority_count> ready;
        unsigned turn = 0;
        std::optional<steady_time> parked_until;
        bool paused = false;
        std::optional<steady_time> stopped_since; ///< Its own clock stands still since then.
        steady_duration stopped_for{0};
    };
    struct app_state {
        app_state(const app_limits& limits);

        token_bucket bucket;
        token_bucket resumed; ///< Spaces messages that were held up after `bucket` had let them go.
        std::size_t concurrency;
        std::size_t in_flight = 0;
        std::size_t queued = 0;
        unsigned blocks = 0;
        bool in_turn = false; ///< Stands in `turns_`.
        std::size_t next_lane = 0;
        std::vector<lane_state> lanes;
    };
    struct waiting {
        steady_time ready_at;
        std::uint64_t order; ///< Equal times keep their order.
        queue_item item;
        lane where;
        priority urgency;
    };
    struct later {
        bool operator()(const waiting& left, const waiting& right) const noexcept;
    };
    struct wakeup {
        steady_time at;
        app_index app;
        bool operator<(const wakeup& other) const noexcept { return at > other.at; }
    };

    void ripen(steady_time now);
    void give_turn(app_index app);
    void note_stops(app_state& app, steady_time now);
    static std::optional<std::size_t> next_ready_lane(const app_state& app, steady_time now);
    static queue_item take(lane_state& from);

    std::vector<app_state> apps_;
    std::deque<app_index> turns_;         ///< Apps that may have something to send.
    std::vector<waiting> waiting_;        ///< A heap by time.
    std::priority_queue<wakeup> wakeups_; ///< Apps to look at again: a permit comes, or a park ends.
    std::uint64_t pushed_ = 0;
};

} // namespace wxcourier::domain
