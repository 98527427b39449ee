// SPDX-License-Identifier: Apache-2.0
#include "engine/sender_pool.hpp"

#include "common/log.hpp"
#include "common/moment.hpp"
#include "domain/reasons.hpp"
#include "engine/call_trace.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {

using domain::block_reason;
using domain::job_state;
using domain::queue_item;

namespace {

std::string_view outcome_word(const domain::push_reply& reply, const domain::delivery_decision& decision)
{
    if (decision.ended == job_state::sent)
        return "accepted";
    if (reply.reach == domain::reach::not_sent)
        return "not_sent";
    if (decision.outcome_unknown)
        return "unknown";
    if (decision.renew_token)
        return "token_dead";
    if (decision.park_lane_until)
        return "quota";
    return decision.ended ? "refused" : "transient";
}

/// A request that is written so soon after its message left the queue counts as written then: the queue has seen that
/// the rate allows it. By so much may requests be closer together than the rate has them.
constexpr milliseconds same_moment{1};
/// A message whose connection is there goes back to the queue when the rate has not let it go for so long: it lies
/// with another replica.
constexpr seconds longest_held_up{1};

/// WeChat's day and minute quota of the call.
constexpr int day_quota_used_up = 45009;
constexpr int minute_quota_used_up = 45011;

/// Whether WeChat counts the attempt in the day's quota: not what it never saw, nor what it refused for a quota.
bool counts(const domain::push_reply& reply)
{
    return reply.reach != domain::reach::not_sent && reply.errcode != day_quota_used_up &&
           reply.errcode != minute_quota_used_up;
}

} // namespace

/// Has the app's rate counted when a request is written, and looks once more whether it should be, where much may have
/// happened since its message left the queue.
class sender_pool::gate final : public write_gate {
public:
    gate(sender_pool& pool, queue_item item) : pool_(pool), item_(item) {}

    bool opens() override
    {
        const auto& message = pool_.deliveries_[item_];
        const auto now = pool_.time_.now();
        // Asked again where the first connection turned out dead: no byte went out, and another permit is needed.
        const bool late = std::exchange(asked_, true) || now - message.popped_at >= same_moment;
        if (late && !pool_.may_be_written(item_))
            return false;
        return pool_.writes_.take(message.job->lane.app, late ? now : message.popped_at);
    }

    asio::awaitable<bool> opened() override
    {
        const auto& message = pool_.deliveries_[item_];
        std::optional<steady_time> deadline;
        if (!message.committed) // nobody else will send what is
            deadline = pool_.time_.now() + longest_held_up;
        bool granted = pool_.may_be_written(item_);
        if (granted)
            granted = co_await pool_.writes_.wait(message.job->lane.app, deadline);
        granted = granted && pool_.may_be_written(item_);
        pool_.alarm_->wake(); // one fewer is held up
        stayed_shut_ = !granted;
        co_return granted;
    }

    [[nodiscard]] bool stayed_shut() const noexcept { return stayed_shut_; }

private:
    sender_pool& pool_;
    queue_item item_;
    bool asked_ = false;
    bool stayed_shut_ = false;
};

sender_pool::sender_pool(const engine_options& options, delivery_store& deliveries, domain::send_queue& queue,
                         credentials& tokens, push_api& api, clock& time, metrics_registry& metrics,
                         std::function<double()> jitter, task_group& tasks, listener& owner)
    : options_(options), deliveries_(deliveries), queue_(queue), tokens_(tokens), api_(api), time_(time),
      jitter_(std::move(jitter)), tasks_(tasks), owner_(owner), writes_(queue, time), alarm_(time.make_alarm()),
      paces_(queue, time, metrics), metrics_(metrics), attempts_(metrics["wxcourier_attempts_total"]),
      unknown_errcodes_(metrics["wxcourier_unknown_errcodes_total"])
{
    while (apps_.size() < options_.apps.size())
        add_app();
}

void sender_pool::add_app()
{
    const auto& app = options_.apps[apps_.size()];
    apps_.push_back({domain::breaker(options_.breaker), &metrics_["wxcourier_in_flight"].with({app.name}),
                     &metrics_["wxcourier_send_duration_seconds"].with({app.name}),
                     &metrics_["wxcourier_delivery_duration_seconds"].with({app.name}),
                     &metrics_["wxcourier_breaker_open"].with({app.name}),
                     std::vector<metric_series*>(domain::all_kinds().size())});
    paces_.add_app(app.name);
    writes_.add_app();
}

void sender_pool::follow_concurrency(domain::app_index app)
{
    // An open breaker lets one probe at a time go; the end of the outage gives the new number.
    if (apps_[app].breaker.state() == domain::breaker_state::closed)
        queue_.set_concurrency(app, concurrency_of(app));
}

std::size_t sender_pool::concurrency_of(domain::app_index app) const
{
    return apps_[app].concurrency.value_or(options_.apps[app].limits.concurrency);
}

void sender_pool::enqueue(queue_item item, steady_time ready_at)
{
    auto& message = deliveries_[item];
    message.at = delivery::stage::queued;
    if (holds_ && holds_(message)) {
        hold(item, ready_at);
        return;
    }
    end_hold(message);
    message.ready_at = ready_at;
    queue_.push(item, message.job->lane, message.job->job.priority, ready_at, message.recipient, message.repeats);
}

/// Not in a line of its own but in the queue, as one that waits long: so it expires, moves and goes like any other.
void sender_pool::hold(queue_item item, steady_time ready_at)
{
    auto& message = deliveries_[item];
    const auto now = time_.now();
    if (!message.held_from) {
        message.held_since = now;
        message.held_active = queue_.active_time(message.job->lane, now);
    }
    message.held_from = ready_at;
    message.ready_at = std::max(ready_at, now + pause_look);
    queue_.push(item, message.job->lane, message.job->job.priority, message.ready_at, message.recipient);
}

/// The time in which an operator had it wait does not count against `give_up_after`.
void sender_pool::end_hold(delivery& message)
{
    if (!message.held_from)
        return;
    if (message.first_active)
        *message.first_active += queue_.active_time(message.job->lane, time_.now()) - message.held_active;
    message.held_from.reset();
}

void sender_pool::review_holds()
{
    std::vector<queue_item> changed;
    deliveries_.for_each([this, &changed](queue_item item, const delivery& each) {
        if (each.at == delivery::stage::queued && holds_(each) != each.held_from.has_value())
            changed.push_back(item);
    });
    if (changed.empty())
        return;
    // for_each goes upwards, so they are sorted.
    queue_.remove_if([&changed](queue_item item) { return std::binary_search(changed.begin(), changed.end(), item); },
                     time_.now());
    for (const auto item : changed)
        enqueue(item, deliveries_[item].held_from.value_or(deliveries_[item].ready_at));
    dispatch();
}

void sender_pool::use_concurrency(domain::app_index app, std::optional<std::size_t> limit)
{
    apps_[app].concurrency = limit;
    follow_concurrency(app);
}

void sender_pool::dispatch()
{
    if (dispatching_ || stopping_)
        return;
    dispatching_ = true;
    while (const auto item = next_sendable()) {
        const moment of_its_own; // the last of many would be written long after the first
        if (idle_.empty()) {
            tasks_.spawn(send_messages(*item));
            continue;
        }
        auto sender = std::move(idle_.back());
        idle_.pop_back();
        std::move(sender)(item);
    }
    dispatching_ = false;
    const auto next = owner_.may_send(under_way_) ? queue_.next_wakeup() : std::nullopt;
    if (waiting_ && next && (!armed_for_ || *next < *armed_for_))
        alarm_->wake();
}

asio::awaitable<void> sender_pool::run()
{
    while (!stopping_) {
        if (next_probe_ && *next_probe_ <= time_.now())
            let_probes_go();
        dispatch();
        // Where the owner holds sends back, it is not time that lets more go: the owner calls dispatch().
        armed_for_ = owner_.may_send(under_way_) ? queue_.next_wakeup() : std::nullopt;
        if (next_probe_)
            armed_for_ = std::min(armed_for_.value_or(*next_probe_), *next_probe_);
        waiting_ = true;
        co_await alarm_->wait_until(armed_for_);
        waiting_ = false;
    }
}

void sender_pool::stop()
{
    stopping_ = true;
    dismiss_idle_senders();
    alarm_->wake();
}

void sender_pool::dismiss_idle_senders()
{
    for (auto& each : std::exchange(idle_, {}))
        std::move(each)(std::nullopt);
}

void sender_pool::abandon()
{
    abandoned_ = true;
    writes_.abandon();
}

std::optional<queue_item> sender_pool::next_sendable()
{
    while (!stopping_ && owner_.may_send(under_way_)) {
        const auto now = time_.now();
        const auto item = queue_.pop(now);
        if (!item)
            return std::nullopt;
        ++under_way_;
        deliveries_[*item].popped_at = now;
        const auto late = look_at_clocks(*item);
        if (late == lateness::on_time) {
            deliveries_[*item].at = delivery::stage::sending;
            return item;
        }
        release_unsent(*item, late);
    }
    return std::nullopt;
}

void sender_pool::release(queue_item item, bool arrived)
{
    --under_way_;
    queue_.release(item, time_.now(), arrived);
}

void sender_pool::release_unsent(queue_item item, lateness why)
{
    queue_.uncount(item);
    release(item);
    if (why == lateness::early)
        enqueue(item, deliveries_[item].ready_at);
}

asio::awaitable<void> sender_pool::send_messages(queue_item first)
{
    for (std::optional<queue_item> next = first; next;) {
        const auto item = *next;
        deliveries_[item].deferral_reported = false;
        bool goes = !options_.dry_run;
        if (!goes)
            simulate(item);
        else if (options_.delivery.at_most_once)
            goes = co_await commit(item);
        if (goes) {
            const auto job = deliveries_[item].job; // outlives the message's slot
            const auto token = tokens_.current(job->lane.app);
            const auto last_began = deliveries_[item].history.attempt_began;
            gate before(*this, item);
            const auto reply = co_await api_.send(begin_attempt(item, *token, before));
            apps_[job->lane.app].in_flight->add(-1);
            if (before.stayed_shut())
                take_back(item, last_began);
            else
                end_attempt(item, reply, token->generation);
        }
        // This one goes on before others are woken or made.
        next = next_sendable();
        dispatch();
        if (!next && !stopping_)
            next = co_await next_message();
    }
}

asio::awaitable<std::optional<queue_item>> sender_pool::next_message()
{
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::optional<queue_item>)>(
        [this](idle_sender resume) { idle_.push_back(std::move(resume)); }, asio::use_awaitable);
}

void sender_pool::simulate(queue_item item)
{
    // Its recipient's limit is held as if it had arrived.
    release(item, queue_.counts_recipients(deliveries_[item].job->lane.app));
    owner_.on_ended(item, job_state::simulated, {});
}

push_request sender_pool::begin_attempt(queue_item item, const access_token& token, gate& before)
{
    auto& message = deliveries_[item];
    const auto& job = *message.job;
    const auto app = job.lane.app;
    message.history.attempt_began = time_.now();
    if (!message.first_active)
        message.first_active = queue_.active_time(job.lane, message.history.attempt_began);
    auto body = job.messages.only_body(); // not copied: 0.2 µs, and the body twice in memory
    if (body.start.empty()) {
        if (message.body.empty())
            message.body = job.messages.body(message.index);
        body = {message.body};
    }
    if (message.history.attempts++ == 0)
        queue_.repeats(app).on_first(message.history.attempt_began);
    apps_[app].in_flight->add(1);
    return {job.job.kind, body, token.text.reveal(), &before};
}

void sender_pool::end_attempt(queue_item item, const domain::push_reply& reply, std::uint64_t token_generation)
{
    const auto app = deliveries_[item].job->lane.app;
    apps_[app].send_seconds->observe(std::chrono::duration<double>(reply.latency).count());
    if (!counts(reply))
        queue_.uncount(item);
    release(item, queue_.counts_recipients(app) && domain::may_have_arrived(reply));
    conclude(item, reply, token_generation);
}

/// Whether a message that left the queue a while ago would be sent now.
bool sender_pool::may_be_written(queue_item item)
{
    const auto& message = deliveries_[item];
    const auto& job = *message.job;
    const auto wall = time_.wall_now();
    return (!job.expires_at || wall < *job.expires_at) && (!job.job.not_before || wall >= *job.job.not_before) &&
           domain::may_repeat(message.history, options_.delivery, time_.now()) &&
           queue_.still_may_go(job.lane, time_.now()) && owner_.is_ours(item);
}

/// A message whose request was not written after all: as if there had been no attempt.
void sender_pool::take_back(queue_item item, steady_time attempt_began)
{
    auto& message = deliveries_[item];
    message.history.attempt_began = attempt_began;
    if (--message.history.attempts == 0)
        message.first_active.reset();
    queue_.uncount(item);
    release(item);
    if (abandoned_)
        return;
    const auto late = look_at_clocks(item);
    if (late != lateness::ended)
        owner_.on_waiting(item, late == lateness::early ? message.ready_at : time_.now());
}

/// at_most_once. True: the message is committed, and its time to be sent is now. False: it was released.
asio::awaitable<bool> sender_pool::commit(queue_item item)
{
    bool committed = deliveries_[item].committed;
    if (!committed)
        committed = co_await owner_.commit_first(item);
    const auto late = committed && !abandoned_ ? look_at_clocks(item) : lateness::ended;
    if (late != lateness::on_time)
        release_unsent(item, late);
    co_return late == lateness::on_time;
}

sender_pool::lateness sender_pool::look_at_clocks(queue_item item)
{
    auto& message = deliveries_[item];
    const auto& job = *message.job;
    const auto now = time_.wall_now();
    if (job.expires_at && now >= *job.expires_at) {
        owner_.on_ended(item, job_state::expired, job.expiry_reason);
        return lateness::ended;
    }
    // The window in which WeChat drops a repeat may have closed while the message waited.
    if (!domain::may_repeat(message.history, options_.delivery, time_.now())) {
        owner_.on_ended(item, job_state::failed, "outcome_unknown");
        return lateness::ended;
    }
    if (now >= day_.ends || now < day_.begins) { // it was let go by the quota of another day
        day_ = calendar_();
        return lateness::early;
    }
    if (message.held_from) { // it was time to look at it again
        message.ready_at = *message.held_from;
        return lateness::early;
    }
    if (job.job.not_before && now < *job.job.not_before) { // the wall clock went back, or the wait was cut short
        message.wait_reason = domain::reason::not_before;
        message.ready_at = time_.now() + (*job.job.not_before - now);
        return lateness::early;
    }
    return lateness::on_time;
}

void sender_pool::conclude(queue_item item, const domain::push_reply& reply, std::uint64_t token_generation)
{
    auto& message = deliveries_[item];
    const auto now = time_.now();
    trace_call(message, reply, time_.wall_now(), options_.worker);
    if (reply.errcode || !message.errcode) { // WeChat's last answer says more than what the way to it did since
        message.errcode = reply.errcode;
        message.errmsg = reply.errmsg;
        message.msgid = reply.msgid;
    }
    auto history = message.history;
    history.active_for = queue_.active_time(message.job->lane, now) - *message.first_active;
    auto decision = domain::decide(reply, history, options_.delivery, now, time_.wall_now(), jitter_());
    if (reply.errcode == day_quota_used_up && decision.park_lane_until && wait_after_refusal_)
        if (const auto wait = wait_after_refusal_(message.job->lane); wait && now + *wait < *decision.park_lane_until)
            decision.again_at = *(decision.park_lane_until = now + *wait);
    if (decision.ended != job_state::sent) {
        if (!message.log)
            message.log = std::make_unique<domain::attempt_log>();
        const auto took = std::chrono::duration_cast<milliseconds>(now - message.history.attempt_began);
        message.log->add(reply, time_.wall_now() - took, message.history.attempts);
    }
    count_attempt(message, reply, decision);
    queue_.repeats(message.job->lane.app).on_answer(now, decision.repeats);
    paces_.on_answer(message.job->lane, reply, message.history.attempt_began);
    note_outage(message.job->lane.app, reply);
    if (decision.outcome_unknown && !message.history.first_unknown)
        message.history.first_unknown = message.history.attempt_began;
    follow(item, reply, decision, token_generation);
}

void sender_pool::follow(queue_item item, const domain::push_reply& reply, const domain::delivery_decision& decision,
                         std::uint64_t token_generation)
{
    auto& message = deliveries_[item];
    const auto& job = *message.job; // its sender holds it
    const auto app = job.lane.app;
    if (decision.renew_token)
        tokens_.on_rejected(app, token_generation);
    else if (decision.halt_app)
        tokens_.on_account_refused(app, decision.reason, reply.errmsg);
    else if (reply.errcode)
        tokens_.on_accepted(app, token_generation);
    if (decision.park_lane_until) {
        log::warn(
            "sender", "WeChat's quota is used up; this call of the app waits",
            {{"app", job.job.app},
             {"kind", job.job.kind->name},
             {"errcode", reply.errcode.value_or(0)},
             {"for_s", static_cast<std::int64_t>(
                           std::chrono::duration_cast<seconds>(*decision.park_lane_until - time_.now()).count())}});
        queue_.park(job.lane, *decision.park_lane_until, time_.now());
    }
    if (decision.hold_recipient)
        queue_.hold_recipient(app, message.recipient, decision.again_at);
    if (decision.ended) {
        if (*decision.ended == job_state::sent)
            apps_[app].delivery_seconds->observe(
                std::chrono::duration<double>(time_.wall_now() - job.record.enqueued_at).count());
        owner_.on_ended(item, *decision.ended, decision.reason);
    } else {
        message.history.retries += decision.backed_off ? 1 : 0;
        message.repeats = decision.repeats;
        message.wait_reason = decision.backed_off ? std::string_view{} : decision.reason;
        owner_.on_waiting(item, decision.again_at);
    }
}

void sender_pool::note_outage(domain::app_index app, const domain::push_reply& reply)
{
    auto& breaker = apps_[app].breaker;
    const auto now = time_.now();
    if (!domain::is_outage(reply)) {
        if (breaker.on_success()) {
            log::info("sender", "WeChat answers again", {{"app", options_.apps[app].name}});
            queue_.set_concurrency(app, concurrency_of(app));
            queue_.unblock(app, block_reason::breaker_open, now);
            queue_.repeats(app).forget_failures();
            paces_.on_outage_over(app);
            apps_[app].breaker_open->set(0);
        }
        return;
    }
    if (!breaker.on_failure(now, jitter_()))
        return;
    log::warn("sender", "WeChat cannot be reached; the app's messages wait for a probe",
              {{"app", options_.apps[app].name}, {"error", reply.errmsg}, {"http_status", reply.http_status}});
    queue_.block(app, block_reason::breaker_open, now);
    apps_[app].breaker_open->set(1);
    next_probe_ = std::min(next_probe_.value_or(breaker.probe_at()), breaker.probe_at());
    alarm_->wake();
}

void sender_pool::let_probes_go()
{
    const auto now = time_.now();
    next_probe_.reset();
    for (domain::app_index app = 0; app < apps_.size(); ++app) {
        auto& breaker = apps_[app].breaker;
        if (breaker.state() != domain::breaker_state::open)
            continue;
        if (breaker.probe_at() > now) {
            next_probe_ = std::min(next_probe_.value_or(breaker.probe_at()), breaker.probe_at());
            continue;
        }
        breaker.on_probe_time();
        queue_.set_concurrency(app, 1);
        queue_.unblock(app, block_reason::breaker_open, now);
    }
}

void sender_pool::count_attempt(const delivery& message, const domain::push_reply& reply,
                                const domain::delivery_decision& decision)
{
    const auto& job = message.job->job;
    const auto find = [&]() -> metric_series& {
        return attempts_.with({job.app, std::string(job.kind->name), std::string(outcome_word(reply, decision))});
    };
    if (decision.ended == job_state::sent) {
        // The usual outcome's series is kept: to find it by its labels costs 0.3 µs a push.
        auto& accepted = apps_[message.job->lane.app].accepted[message.job->lane.call];
        if (accepted == nullptr)
            accepted = &find();
        accepted->add();
    } else {
        find().add();
    }
    if (!decision.known_code) {
        unknown_errcodes_.with({job.app, std::string(job.kind->name)}).add();
        log::warn("sender", "WeChat answered with an errcode that no documentation names",
                  {{"app", job.app},
                   {"kind", job.kind->name},
                   {"errcode", reply.errcode.value_or(0)},
                   {"errmsg", reply.errmsg}});
    }
}

void sender_pool::follow_wall_clock()
{
    const auto now = time_.now();
    const auto wall = time_.wall_now();
    std::vector<queue_item> late;
    std::vector<queue_item> early;
    deliveries_.for_each([&late, &early, now, wall](queue_item item, const delivery& each) {
        if (each.at != delivery::stage::queued)
            return;
        const auto& job = *each.job;
        if (job.expires_at && wall >= *job.expires_at)
            late.push_back(item);
        else if (each.wait_reason == domain::reason::not_before && each.ready_at > now && job.job.not_before <= wall)
            early.push_back(item);
    });
    if (late.empty() && early.empty())
        return;
    // for_each goes upwards, so both are sorted.
    queue_.remove_if(
        [&late, &early](queue_item item) {
            return std::binary_search(late.begin(), late.end(), item) ||
                   std::binary_search(early.begin(), early.end(), item);
        },
        now);
    for (const auto item : late)
        owner_.on_ended(item, job_state::expired, deliveries_[item].job->expiry_reason);
    for (const auto item : early)
        enqueue(item, now);
    dispatch();
}

} // namespace wxcourier::engine
