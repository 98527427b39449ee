// SPDX-License-Identifier: Apache-2.0
/// @file
/// Takes messages off the queue as their limits allow, makes one attempt each, and carries out what follows from it.
#pragma once

#include "common/metrics.hpp"
#include "domain/breaker.hpp"
#include "engine/credentials.hpp"
#include "engine/delivery_store.hpp"
#include "engine/lane_paces.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/task_group.hpp"
#include "engine/write_turns.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace wxcourier::engine {

/// One coroutine for each request under way; it goes on with the next message, and waits for one where there is none. A
/// wait (for a rate, a retry, a token) holds no sender: the message goes back to the queue. Not thread-safe.
class sender_pool {
public:
    /// What an operator has wait is looked at again so often, whatever is said meanwhile.
    static constexpr std::chrono::minutes pause_look{10};

    /// What the pool tells its owner.
    class listener {
    public:
        virtual ~listener() = default;
        /// A message has ended; the pool has no more to do with it.
        virtual void on_ended(domain::queue_item item, domain::job_state state, std::string_view reason) = 0;
        /// A message waits for its next attempt: the owner calls `enqueue`, or lets it go.
        virtual void on_waiting(domain::queue_item item, steady_time ready_at) = 0;
        /// at_most_once: a message is about to be sent for the first time. Completes with true when a commit stands
        /// that keeps it from being sent again, with false when none can: the owner has let it go then.
        virtual asio::awaitable<bool> commit_first(domain::queue_item item) = 0;
        /// Whether one more request may begin while so many are under way.
        [[nodiscard]] virtual bool may_send(std::size_t under_way) const = 0;
        /// Whether a message whose connection took a while is still this process's to send.
        [[nodiscard]] virtual bool is_ours(domain::queue_item item) = 0;
    };

    sender_pool(const engine_options& options, delivery_store& deliveries, domain::send_queue& queue,
                credentials& tokens, push_api& api, clock& time, metrics_registry& metrics,
                std::function<double()> jitter, task_group& tasks, listener& owner);

    /// The last of the options' apps is new.
    void add_app();
    /// An app's concurrency has changed.
    void follow_concurrency(domain::app_index app);
    /// Who knows how long a call waits after 45009 where that is not for the rest of the day. Empty: it is.
    void on_quota_refused(std::function<std::optional<steady_duration>(domain::lane)> how_long)
    {
        wait_after_refusal_ = std::move(how_long);
    }
    /// A day of the calendar that quotas are counted by.
    struct quota_day {
        wall_time begins = wall_time::min();
        wall_time ends = wall_time::max();
    };
    /// Who begins another day's count when the clock says so, before anything more is sent, and says which day it is.
    void follow_days(std::function<quota_day()> calendar)
    {
        calendar_ = std::move(calendar);
        day_ = calendar_();
    }
    /// Has messages wait for whose template this says so, looked at again with `review_holds`, and now and then.
    void hold_back(std::function<bool(const delivery&)> rule) { holds_ = std::move(rule); }
    /// What the rule says has changed: those that it now has wait do so, and the others go on.
    void review_holds();
    /// An operator has the app make at most this many requests at once; empty: as many as the configuration says.
    void use_concurrency(domain::app_index app, std::optional<std::size_t> limit);

    /// Puts a message in line.
    void enqueue(domain::queue_item item, steady_time ready_at);

    /// Sends what may be sent now, and has the pool look again when time alone lets more go.
    void dispatch();

    /// Ends messages whose time has passed while they waited, and lets those go whose time came sooner than they
    /// expected, because the clock was set or the machine slept. Called about once a second.
    void follow_wall_clock();

    /// Messages that were let go and have no answer yet.
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

    /// Starts nothing more; requests under way go on.
    void stop();
    /// An app's rate, or its share of one, may have changed.
    void follow_rates() { writes_.look_again(); }
    /// After stop(): nobody waits any longer for messages whose requests have not begun.
    void abandon();
    /// The loop that wakes up when time alone lets more go; ends after stop().
    asio::awaitable<void> run();

private:
    struct app_state {
        domain::breaker breaker;
        metric_series* in_flight = nullptr;
        metric_series* send_seconds = nullptr;
        metric_series* delivery_seconds = nullptr;
        metric_series* breaker_open = nullptr;
        std::vector<metric_series*> accepted;     ///< By kind; null until the first.
        std::optional<std::size_t> concurrency{}; ///< An operator's; empty: the configuration's.
    };

    /// Resumes a sender that has nothing to send: with a message, or with none, and then it ends.
    using idle_sender =
        asio::async_result<asio::use_awaitable_t<>, void(std::optional<domain::queue_item>)>::handler_type;

    asio::awaitable<void> send_messages(domain::queue_item first);
    asio::awaitable<std::optional<domain::queue_item>> next_message();
    void dismiss_idle_senders();
    void simulate(domain::queue_item item);
    /// What a look at the clocks says of a message that is about to be sent.
    enum class lateness : std::uint8_t {
        on_time,
        ended, ///< It is too late for it; it has ended.
        early, ///< It goes back to the queue, once it is released.
    };

    /// Stands before an attempt's first byte.
    class gate;

    push_request begin_attempt(domain::queue_item item, const access_token& token, gate& before);
    void end_attempt(domain::queue_item item, const domain::push_reply& reply, std::uint64_t token_generation);
    asio::awaitable<bool> commit(domain::queue_item item);
    [[nodiscard]] bool may_be_written(domain::queue_item item);
    void take_back(domain::queue_item item, steady_time attempt_began);
    std::optional<domain::queue_item> next_sendable();
    void release(domain::queue_item item, bool arrived = false);
    void release_unsent(domain::queue_item item, lateness why);
    void hold(domain::queue_item item, steady_time ready_at);
    void end_hold(delivery& message);
    [[nodiscard]] std::size_t concurrency_of(domain::app_index app) const;
    void conclude(domain::queue_item item, const domain::push_reply& reply, std::uint64_t token_generation);
    void follow(domain::queue_item item, const domain::push_reply& reply, const domain::delivery_decision& decision,
                std::uint64_t token_generation);
    lateness look_at_clocks(domain::queue_item item);
    void note_outage(domain::app_index app, const domain::push_reply& reply);
    void let_probes_go();
    void count_attempt(const delivery& message, const domain::push_reply& reply,
                       const domain::delivery_decision& decision);

    const engine_options& options_;
    delivery_store& deliveries_;
    domain::send_queue& queue_;
    credentials& tokens_;
    push_api& api_;
    clock& time_;
    std::function<double()> jitter_;
    task_group& tasks_;
    listener& owner_;
    std::function<quota_day()> calendar_;
    quota_day day_;
    std::function<bool(const delivery&)> holds_;
    write_turns writes_;
    std::function<std::optional<steady_duration>(domain::lane)> wait_after_refusal_;
    std::unique_ptr<alarm> alarm_;
    bool waiting_ = false;                 ///< run() waits on the alarm …
    std::optional<steady_time> armed_for_; ///< … until then.
    std::deque<app_state> apps_;           ///< Coroutines hold references while it grows.
    lane_paces paces_;
    std::size_t under_way_ = 0;             ///< Permits of the queue that are out.
    std::optional<steady_time> next_probe_; ///< The earliest of the open breakers'.
    bool stopping_ = false;
    bool abandoned_ = false;
    bool dispatching_ = false;
    std::vector<idle_sender> idle_; ///< To make a coroutine for each message costs 1 µs.
    metrics_registry& metrics_;
    metric_family& attempts_;
    metric_family& unknown_errcodes_;
};

} // namespace wxcourier::engine
