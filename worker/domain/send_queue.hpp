// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which message is sent next. Everything that makes a message wait is decided here (its own time, the app's rate and
/// concurrency, its recipient, a park of the app's call, a halted or paused app), so that a wait holds no sender and no
/// app can starve another.
#pragma once

#include "common/time.hpp"
#include "domain/item_chains.hpp"
#include "domain/push_job.hpp"
#include "domain/quota_amount.hpp"
#include "domain/recipient_gate.hpp"
#include "domain/retry_budget.hpp"
#include "domain/token_bucket.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace wxcourier::domain {

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

struct app_limits {
    double rate_per_second = 200;
    double burst = 50;
    std::size_t concurrency = 256;
    std::size_t calls = 8; ///< How many lanes it has.
    quota_limits quota{};
    std::uint32_t weight = 1; ///< Turns it gets, compared with other apps. 1 to 100.
    std::optional<recipient_limit> per_recipient{};
};

/// All messages that are in memory and not under way. Apps share the senders by their weights, one message at a time;
/// within an app `high` goes first, whatever its lane, with every eighth turn left to `normal` and every eighth of
/// those to `low`; within a priority the lanes take turns. A recipient of an app has one request at a time. Pure: the
/// caller brings the time, which never goes back. Not thread-safe.
class send_queue {
public:
    explicit send_queue(const std::vector<app_limits>& apps);
    send_queue(const send_queue&) = delete;
    send_queue& operator=(const send_queue&) = delete;
    ~send_queue() = default;

    /// One more app. Its index, one above the last one's.
    app_index add_app(const app_limits& limits);

    /// Puts a message in line, ready at `ready_at` (at once when that is past). Not one that is popped and not
    /// released.
    /// @param to      whom it is for; `no_recipient`: it waits for nobody.
    /// @param repeat  WeChat or the way to it failed the message before: it goes as the app's retry budget allows.
    void push(queue_item item, lane where, priority urgency, steady_time ready_at, recipient_key to = no_recipient,
              bool repeat = false);

    /// The next message that may go now; it holds one permit of its app's rate and concurrency, and its recipient.
    /// Empty: none may.
    [[nodiscard]] std::optional<queue_item> pop(steady_time now);

    /// A popped message's request is about to be written. The rate is counted here: between pop() and this lies the
    /// time that a commit or a new connection takes. False: it is held up until `write_at`.
    /// @param at  now; or when it was popped, if that was but a moment ago: then this says yes unless others are held
    /// up.
    [[nodiscard]] bool take_to_write(app_index app, steady_time at) noexcept { return apps_[app].writes.try_take(at); }
    /// When the next request may be written. Empty: not before the app is lent some rate.
    [[nodiscard]] std::optional<steady_time> write_at(app_index app, steady_time now) const noexcept;
    /// So many popped messages are held up. While they are many, no more are popped: they would only join them.
    void note_held_up(app_index app, std::size_t count, steady_time now);
    /// Whether a message that is popped would still be, as far as others than itself are concerned.
    [[nodiscard]] bool still_may_go(lane where, steady_time now) const noexcept;

    /// A popped message's request has ended, or was never made: gives its concurrency permit and its recipient back.
    /// @param arrived  its recipient got it, or may have got it: counts for the app's recipient limit.
    void release(queue_item item, steady_time now, bool arrived = false);

    void block(app_index app, block_reason reason, steady_time now);
    void unblock(app_index app, block_reason reason, steady_time now);
    [[nodiscard]] bool blocked(app_index app) const noexcept { return apps_[app].blocks != 0; }
    [[nodiscard]] bool blocked(app_index app, block_reason reason) const noexcept;

    /// Holds a lane back until `until`; an earlier end than the one in force is ignored.
    void park(lane where, steady_time until, steady_time now);
    [[nodiscard]] std::optional<steady_time> parked_until(lane where, steady_time now) const noexcept;

    /// What a lane may use of the day's quota.
    struct lane_budget {
        quota_amount cap{no_quota_limit, no_quota_limit}; ///< Up to these counts of lane_use::used.
        /// Nothing more comes until then: for any message, or for those that are not of high priority.
        std::optional<steady_time> used_up_until{};
        std::optional<steady_time> normal_used_up_until{};
        /// Messages wait for it and none is to be had at the moment: those of high priority, or the others.
        bool scarce_for_high = false;
        bool scarce = false;

        friend bool operator==(const lane_budget&, const lane_budget&) = default;
    };
    void set_budget(lane where, const lane_budget& budget, steady_time now);
    /// How a lane uses its budget.
    struct lane_use {
        quota_amount used;      ///< Since the count began.
        quota_amount under_way; ///< Of those, popped and not released.
        quota_amount ready; ///< Messages that nothing but rate, concurrency and budget hold back, up to some hundred.
    };
    [[nodiscard]] lane_use use_of_lane(lane where, steady_time now) const noexcept;
    /// The lane's count begins anew, with so many. What is under way is not taken back from it any more.
    void count_anew(lane where, const quota_amount& used) noexcept;
    /// A popped message does not count with WeChat after all. Before its release.
    void uncount(queue_item item) noexcept;
    /// Lanes whose first message since their count began was popped, since this was called last.
    [[nodiscard]] std::vector<lane> take_newly_used() noexcept { return std::exchange(newly_used_, {}); }
    /// Lanes whose messages began to wait for their budget, since this was called last.
    [[nodiscard]] std::vector<lane> take_newly_short() noexcept { return std::exchange(newly_short_, {}); }
    /// Until when a message of that priority waits for the lane alone: for a park, or for the day's quota.
    [[nodiscard]] std::optional<steady_time> held_until(lane where, priority urgency, steady_time now) const noexcept;
    /// Whether messages of that priority wait for a budget that is not there.
    [[nodiscard]] bool scarce(lane where, priority urgency) const noexcept
    {
        const auto& budget = apps_[where.app].lanes[where.call].budget;
        return urgency == priority::high ? budget.scarce_for_high : budget.scarce;
    }

    /// An operator pauses a lane, or lets it go on. Parks of the lane run on meanwhile.
    void pause(lane where, bool paused, steady_time now);
    [[nodiscard]] bool paused(lane where) const noexcept { return apps_[where.app].lanes[where.call].paused; }

    /// Holds back all messages of the app to that recipient until `until`; an earlier end than the one in force is
    /// ignored. `no_recipient`: nobody is held back.
    void hold_recipient(app_index app, recipient_key to, steady_time until);
    /// How long a queued message's recipient is held back, or over the app's limit, as far as is known. Empty: not.
    [[nodiscard]] std::optional<steady_time> recipient_held_until(queue_item item, steady_time now) const noexcept;
    /// Whether the app counts what each recipient gets: `release` needs to be told what arrived.
    [[nodiscard]] bool counts_recipients(app_index app) const noexcept { return apps_[app].recipients.limited(); }

    void set_rate(app_index app, double per_second, double burst);
    /// See token_bucket::lend.
    void lend_rate(app_index app, double per_second, double burst, steady_time until, steady_time now);
    /// How an app uses its rate.
    struct rate_use {
        std::uint64_t taken = 0; ///< Permits of the rate, ever.
        std::size_t ready = 0;   ///< Messages that nothing but the rate holds back.
    };
    [[nodiscard]] rate_use use_of_rate(app_index app, steady_time now) const noexcept;
    /// At most this many requests of the app at once from now on; those under way go on.
    void set_concurrency(app_index app, std::size_t limit);
    void set_weight(app_index app, std::uint32_t weight) noexcept { apps_[app].weight = weight; }
    void set_recipient_limit(app_index app, std::optional<recipient_limit> limit, steady_time now);

    /// Messages a second that the app may send here.
    [[nodiscard]] double rate(app_index app) const noexcept { return apps_[app].rate; }

    /// Holds a lane at a part of its app's rate (domain/adaptive_pace), also when that changes. 1: at the rate itself.
    void set_pace(lane where, double fraction, steady_time now);

    /// What the app's repeats are held to; its requests and answers are to be told to it.
    [[nodiscard]] retry_budget& repeats(app_index app) noexcept { return apps_[app].budget; }
    /// Repeats whose time has come and whom the budget holds back.
    [[nodiscard]] std::size_t held_repeats(app_index app) const noexcept { return apps_[app].held.size(); }

    /// When `pop` may give something that it does not give now. Empty: not by time alone.
    [[nodiscard]] std::optional<steady_time> next_wakeup() const noexcept;

    /// The lane's own clock: stands still while the lane is parked or paused, or its app blocked. Measures
    /// `give_up_after`.
    [[nodiscard]] steady_duration active_time(lane where, steady_time now) const noexcept;

    /// Takes out every message for which `gone` says so.
    void remove_if(const std::function<bool(queue_item)>& gone, steady_time now);

    [[nodiscard]] std::size_t queued(app_index app) const noexcept { return apps_[app].queued; }
    [[nodiscard]] std::size_t in_flight(app_index app) const noexcept { return apps_[app].in_flight; }
    /// Whether a message of the app was ever popped.
    [[nodiscard]] bool has_begun(app_index app) const noexcept { return apps_[app].permits_taken > 0; }
    /// Of the queued ones those that wait for their recipient, who has another request, is held back or over the limit.
    [[nodiscard]] std::size_t waiting_for_recipients(app_index app) const noexcept
    {
        return apps_[app].recipients.waiting();
    }
    /// See recipient_gate::forgotten.
    [[nodiscard]] std::uint64_t recipients_forgotten(app_index app) const noexcept
    {
        return apps_[app].recipients.forgotten();
    }

private:
    /// Holds a lane below its app's rate.
    struct lane_pace {
        double fraction = 1;
        std::optional<token_bucket> bucket{}; ///< Empty: the app's rate alone.

        [[nodiscard]] bool may_go(steady_time now) const noexcept { return !bucket || bucket->next_at() <= now; }
        void follow(double per_second, double burst, steady_time now);
    };
    struct lane_state {
        lane_pace pace;
        std::optional<steady_time> parked_until;
        bool paused = false;
        lane_budget budget;
        quota_amount used;
        quota_amount under_way;
        std::uint32_t count = 0;                  ///< Which one: what was popped before it began is not taken back.
        bool told_used = false;                   ///< See take_newly_used() …
        bool told_short = false;                  ///< … and take_newly_short().
        std::optional<steady_time> stopped_since; ///< Its own clock stands still since then.
        steady_duration stopped_for{0};

        /// Permits that are left for a message of that priority.
        [[nodiscard]] bool affords(std::size_t urgency) const noexcept
        {
            return used.normal < budget.cap.normal ||
                   (urgency == static_cast<std::size_t>(priority::high) && used.high < budget.cap.high);
        }
    };
    struct app_state {
        app_state(const app_limits& limits, item_chains& chains);

        token_bucket bucket;     ///< Decides when a message is popped …
        token_bucket writes;     ///< … and this one when its request is written; both have the same rate.
        std::size_t held_up = 0; ///< Messages between the two that wait for the second.
        std::size_t concurrency;
        std::uint32_t weight;
        std::size_t in_flight = 0;
        std::size_t queued = 0;
        unsigned blocks = 0;
        bool in_turn = false;   ///< Stands in `turns_`.
        std::uint64_t pass = 0; ///< Grows with each message by 1 / weight: the app with the least is next.
        unsigned turn = 0;      ///< Which priority is looked at first.
        std::uint64_t permits_taken = 0;
        std::vector<lane_state> lanes;
        std::array<std::vector<item_list>, priority_count> ready; ///< By priority and lane.
        std::array<std::uint64_t, priority_count> ready_lanes{};  ///< A bit for each lane that has some ready.
        std::array<std::size_t, priority_count> next_lane{};
        double rate;
        double burst;
        retry_budget budget;
        std::deque<queue_item> held;    ///< Repeats that wait for the budget, in the order they came.
        steady_time budget_looked_at{}; ///< A wakeup for them is on its way until then.
        recipient_gate recipients;
        steady_time recipients_due = steady_time::max(); ///< Stands in `wakeups_` for them.
    };
    /// What is known of a message, by its number.
    struct item_state {
        recipient_key to = no_recipient;
        lane where;
        recipient_gate::slot recipient = recipient_gate::unknown; ///< While it is out.
        priority urgency = priority::normal;
        bool woken = false;           ///< It has waited for its recipient, and is first among those who did.
        bool out = false;             ///< Popped and not released.
        bool repeat = false;          ///< Draws on the retry budget.
        bool high_permit = false;     ///< Of the day's quota, while it is out …
        std::uint32_t counted_in = 0; ///< … in that count.

        /// Messages of one line of a recipient's are equal in this.
        [[nodiscard]] std::uint32_t line() const noexcept
        {
            return where.call * static_cast<std::uint32_t>(priority_count) + static_cast<std::uint32_t>(urgency);
        }
    };
    struct waiting {
        steady_time ready_at;
        std::uint64_t order; ///< Equal times keep their order.
        queue_item item;
    };
    struct later {
        bool operator()(const waiting& left, const waiting& right) const noexcept;
    };
    struct wakeup {
        steady_time at;
        app_index app;
        bool operator<(const wakeup& other) const noexcept { return at > other.at; }
    };
    /// An app that may have something to send. The least `pass` is first, equal ones in the order they came.
    struct turn {
        std::uint64_t pass;
        std::uint64_t order;
        app_index app;
        bool operator<(const turn& other) const noexcept
        {
            return pass != other.pass ? pass > other.pass : order > other.order;
        }
    };
    /// A place that has a message ready.
    struct ready_place {
        std::size_t urgency;
        std::size_t call;
    };

    void ripen(steady_time now);
    void let_repeats_go(app_index app, steady_time now);
    void pace_lanes(app_index app, steady_time now);
    void wake_for_pace(app_index app, steady_time now);
    void give_turn(app_index app);
    void put_ready(queue_item item, bool first);
    void note_short(lane where, std::size_t urgency);
    void put_woken(app_index app);
    void note_recipients_due(app_index app);
    void note_stops(app_state& app, steady_time now);
    [[nodiscard]] static bool too_many_held_up(const app_state& app) noexcept;
    [[nodiscard]] static std::optional<ready_place> next_ready(const app_state& app, steady_time now);
    [[nodiscard]] static std::optional<std::size_t> next_ready_lane(const app_state& app, std::size_t urgency,
                                                                    steady_time now);
    [[nodiscard]] std::optional<ready_place> next_sendable(app_state& app, steady_time now);
    queue_item take(app_state& app, ready_place from);
    std::size_t remove_ready(app_state& app, const std::function<bool(queue_item)>& gone,
                             std::vector<queue_item>& removed_woken);

    item_chains chains_;
    std::deque<app_state> apps_;
    std::vector<item_state> items_;
    std::priority_queue<turn> turns_;
    std::vector<waiting> waiting_; ///< A heap by time.
    std::priority_queue<wakeup>
        wakeups_;                   ///< Apps to look at again: a permit comes, or a park or a recipient's wait ends.
    std::vector<queue_item> woken_; ///< For put_woken(); kept for its memory.
    std::vector<lane> newly_used_;
    std::vector<lane> newly_short_;
    std::uint64_t pushed_ = 0;
    std::uint64_t turns_given_ = 0;
    std::uint64_t pass_ = 0; ///< Of the app that sent last: who comes back begins there, whatever it missed.
};

} // namespace wxcourier::domain
