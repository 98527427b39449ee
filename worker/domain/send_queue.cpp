// SPDX-License-Identifier: Apache-2.0
#include "domain/send_queue.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wxcourier::domain {
namespace {

/// Of 64 turns of a lane: which urgency is looked at first.
priority favoured(unsigned turn) noexcept
{
    if (turn % 64 == 63)
        return priority::low;
    return turn % 8 == 7 ? priority::normal : priority::high;
}

/// `pass` grows by this for a message of an app of weight 1.
constexpr std::uint64_t stride = std::uint64_t{1} << 32U;
/// Messages that may be held up before their requests are written: those of so many seconds at the app's rate.
constexpr double most_held_up = 0.1;
/// Messages of a line that use_of_rate() counts: to have more of them ready says nothing more.
constexpr std::size_t most_counted = 2048;
/// The same for use_of_lane().
constexpr std::size_t most_counted_for_budget = 512;

} // namespace

send_queue::app_state::app_state(const app_limits& limits, item_chains& chains)
    : bucket(limits.rate_per_second, limits.burst), writes(bucket), concurrency(limits.concurrency),
      weight(limits.weight), lanes(limits.calls), rate(limits.rate_per_second), burst(limits.burst),
      recipients(limits.per_recipient, chains)
{
    for (auto& each : ready)
        each.resize(limits.calls);
}

bool send_queue::later::operator()(const waiting& left, const waiting& right) const noexcept
{
    return left.ready_at != right.ready_at ? left.ready_at > right.ready_at : left.order > right.order;
}

send_queue::send_queue(const std::vector<app_limits>& apps)
{
    for (const auto& limits : apps)
        add_app(limits);
}

app_index send_queue::add_app(const app_limits& limits)
{
    apps_.emplace_back(limits, chains_);
    return static_cast<app_index>(apps_.size() - 1);
}

void send_queue::push(queue_item item, lane where, priority urgency, steady_time ready_at, recipient_key to,
                      bool repeat)
{
    if (item >= items_.size())
        items_.resize(std::size_t{item} + 1);
    if (items_[item].out)
        throw std::logic_error("a message was put in line before it was released");
    chains_.make_room(item);
    items_[item] = {.to = to, .where = where, .urgency = urgency, .repeat = repeat};
    ++apps_[where.app].queued;
    waiting_.push_back({ready_at, pushed_++, item});
    std::push_heap(waiting_.begin(), waiting_.end(), later{});
}

void send_queue::ripen(steady_time now)
{
    while (!waiting_.empty() && waiting_.front().ready_at <= now) {
        const auto item = waiting_.front().item;
        std::pop_heap(waiting_.begin(), waiting_.end(), later{});
        waiting_.pop_back();
        const auto app = items_[item].where.app;
        if (!items_[item].repeat) {
            put_ready(item, false);
            give_turn(app);
        } else {
            apps_[app].held.push_back(item);
            let_repeats_go(app, now);
        }
    }
    while (!wakeups_.empty() && wakeups_.top().at <= now) {
        const auto [at, app] = wakeups_.top();
        wakeups_.pop();
        auto& state = apps_[app];
        note_stops(state, at); // a park ended then, however late somebody looks
        if (state.recipients_due <= now) {
            state.recipients_due = steady_time::max();
            state.recipients.ripen(now, woken_);
            put_woken(app);
        }
        let_repeats_go(app, now);
        give_turn(app);
    }
}

void send_queue::let_repeats_go(app_index app, steady_time now)
{
    auto& state = apps_[app];
    while (!state.held.empty() && state.budget.try_repeat(now)) {
        put_ready(state.held.front(), false);
        state.held.pop_front();
        give_turn(app);
    }
    if (!state.held.empty() && state.budget_looked_at <= now) {
        state.budget_looked_at = state.budget.next_at(now);
        wakeups_.push({state.budget_looked_at, app});
    }
}

void send_queue::put_ready(queue_item item, bool first)
{
    const auto& message = items_[item];
    auto& app = apps_[message.where.app];
    const auto urgency = static_cast<std::size_t>(message.urgency);
    auto& list = app.ready[urgency][message.where.call];
    if (first)
        chains_.push_front(list, item);
    else
        chains_.push_back(list, item);
    app.ready_lanes[urgency] |= std::uint64_t{1} << message.where.call;
    note_short(message.where, urgency);
}

/// Where a message is ready and there is no budget for it, somebody is to know.
void send_queue::note_short(lane where, std::size_t urgency)
{
    auto& line = apps_[where.app].lanes[where.call];
    if (!line.affords(urgency) && !std::exchange(line.told_short, true))
        newly_short_.push_back(where);
}

/// What recipients have let go stands first in its line: it came before those who have not asked for them yet.
void send_queue::put_woken(app_index app)
{
    for (const auto item : woken_) {
        items_[item].woken = true;
        put_ready(item, true);
    }
    woken_.clear();
    note_recipients_due(app);
}

void send_queue::note_recipients_due(app_index app)
{
    auto& state = apps_[app];
    const auto at = state.recipients.next_at();
    if (!at || *at >= state.recipients_due)
        return;
    state.recipients_due = *at;
    wakeups_.push({*at, app});
}

void send_queue::give_turn(app_index app)
{
    auto& state = apps_[app];
    if (state.in_turn || state.blocks != 0 || state.in_flight >= state.concurrency)
        return;
    state.in_turn = true;
    state.pass = std::max(state.pass, pass_);
    turns_.push({state.pass, turns_given_++, app});
}

std::optional<queue_item> send_queue::pop(steady_time now)
{
    ripen(now);
    while (!turns_.empty()) {
        const auto index = turns_.top().app;
        turns_.pop();
        auto& app = apps_[index];
        app.in_turn = false;
        if (app.blocks != 0 || app.in_flight >= app.concurrency || too_many_held_up(app))
            continue; // unblock(), release() or note_held_up() gives the turn back
        if (app.recipients.limited()) {
            app.recipients.ripen(now, woken_);
            put_woken(index);
        }
        const auto from = next_sendable(app, now);
        note_recipients_due(index);
        if (!from) {
            wake_for_pace(index, now);
            continue; // a push, a release or the end of a park gives the turn back
        }
        if (!app.bucket.try_take(now)) {
            if (const auto next = app.bucket.next_at();
                next > now) // otherwise its loan has ended: the next one wakes it
                wakeups_.push({next, index});
            continue;
        }
        ++app.permits_taken;
        if (auto& paced = app.lanes[from->call].pace.bucket)
            static_cast<void>(paced->try_take(now)); // next_ready_lane() saw that it may go
        const auto item = take(app, *from);
        pass_ = app.pass;
        app.pass += stride / app.weight;
        --app.queued;
        ++app.in_flight;
        give_turn(index);
        return item;
    }
    return std::nullopt;
}

std::optional<send_queue::ready_place> send_queue::next_ready(const app_state& app, steady_time now)
{
    const auto first = static_cast<std::size_t>(favoured(app.turn));
    if (const auto call = next_ready_lane(app, first, now))
        return ready_place{first, *call};
    for (std::size_t urgency = 0; urgency < priority_count; ++urgency)
        if (const auto call = next_ready_lane(app, urgency, now))
            return ready_place{urgency, *call};
    return std::nullopt;
}

std::optional<std::size_t> send_queue::next_ready_lane(const app_state& app, std::size_t urgency, steady_time now)
{
    if (app.ready_lanes[urgency] == 0)
        return std::nullopt;
    const auto lanes = app.lanes.size();
    for (std::size_t i = 0; i < lanes; ++i) {
        const auto index = (app.next_lane[urgency] + i) % lanes;
        const auto& candidate = app.lanes[index];
        const bool parked = candidate.parked_until && *candidate.parked_until > now;
        if ((app.ready_lanes[urgency] >> index & 1U) != 0 && !parked && !candidate.paused &&
            candidate.pace.may_go(now) && candidate.affords(urgency))
            return index;
    }
    return std::nullopt;
}

/// The next place whose first message's recipient is free. Messages before it whose recipients are not have left for
/// their recipients' lines.
std::optional<send_queue::ready_place> send_queue::next_sendable(app_state& app, steady_time now)
{
    while (const auto place = next_ready(app, now)) {
        auto& list = app.ready[place->urgency][place->call];
        auto& message = items_[list.first];
        if (message.to == no_recipient)
            return place;
        message.recipient = app.recipients.find(message.to);
        if (app.recipients.admits(message.recipient, now))
            return place;
        const auto item = chains_.pop_front(list);
        if (list.empty())
            app.ready_lanes[place->urgency] &= ~(std::uint64_t{1} << place->call);
        app.recipients.wait(item, message.recipient, message.line(), std::exchange(message.woken, false), now);
    }
    return std::nullopt;
}

/// @param from  as next_sendable() has just given it.
queue_item send_queue::take(app_state& app, ready_place from)
{
    auto& list = app.ready[from.urgency][from.call];
    const auto item = chains_.pop_front(list);
    if (list.empty())
        app.ready_lanes[from.urgency] &= ~(std::uint64_t{1} << from.call);
    app.next_lane[from.urgency] = (from.call + 1) % app.lanes.size();
    ++app.turn;
    auto& message = items_[item];
    auto& line = app.lanes[from.call];
    if (!std::exchange(line.told_used, true))
        newly_used_.push_back(message.where);
    message.high_permit =
        from.urgency == static_cast<std::size_t>(priority::high) && line.used.high < line.budget.cap.high;
    message.counted_in = line.count;
    ++(message.high_permit ? line.used.high : line.used.normal);
    ++(message.high_permit ? line.under_way.high : line.under_way.normal);
    if (!list.empty())
        note_short(message.where, from.urgency);
    message.out = true;
    if (message.to != no_recipient) {
        if (std::exchange(message.woken, false))
            app.recipients.take_over(message.recipient, message.line());
        message.recipient = app.recipients.enter(message.to, message.recipient);
    }
    return item;
}

std::optional<steady_time> send_queue::write_at(app_index app, steady_time now) const noexcept
{
    const auto& writes = apps_[app].writes;
    return now < writes.lent_until() ? std::optional(writes.next_at()) : std::nullopt;
}

bool send_queue::too_many_held_up(const app_state& app) noexcept
{
    return app.held_up > 1 && static_cast<double>(app.held_up) > app.rate * most_held_up;
}

void send_queue::note_held_up(app_index app, std::size_t count, steady_time now)
{
    auto& state = apps_[app];
    const bool was_full = too_many_held_up(state);
    state.held_up = count;
    if (!was_full || too_many_held_up(state))
        return;
    give_turn(app);
    wakeups_.push({now, app}); // whoever sleeps until the next wakeup looks at once
}

bool send_queue::still_may_go(lane where, steady_time now) const noexcept
{
    const auto& app = apps_[where.app];
    const auto& state = app.lanes[where.call];
    return app.blocks == 0 && !state.paused && !(state.parked_until && *state.parked_until > now);
}

void send_queue::release(queue_item item, steady_time now, bool arrived)
{
    auto& message = items_[item];
    const auto app = message.where.app;
    auto& state = apps_[app];
    message.out = false;
    --state.in_flight;
    auto& under_way = state.lanes[message.where.call].under_way;
    --(message.high_permit ? under_way.high : under_way.normal);
    if (message.to != no_recipient) {
        state.recipients.leave(message.recipient, now, arrived, woken_);
        put_woken(app);
    }
    give_turn(app);
}

void send_queue::hold_recipient(app_index app, recipient_key to, steady_time until)
{
    if (to == no_recipient)
        return;
    apps_[app].recipients.hold(to, until);
    note_recipients_due(app);
}

std::optional<steady_time> send_queue::recipient_held_until(queue_item item, steady_time now) const noexcept
{
    const auto& message = items_[item];
    const auto& recipients = apps_[message.where.app].recipients;
    return recipients.holds_any() ? recipients.held_until(message.to, now) : std::nullopt;
}

void send_queue::set_recipient_limit(app_index app, std::optional<recipient_limit> limit, steady_time now)
{
    apps_[app].recipients.set_limit(limit, now, woken_);
    put_woken(app);
    give_turn(app);
}

void send_queue::block(app_index app, block_reason reason, steady_time now)
{
    apps_[app].blocks |= static_cast<unsigned>(reason);
    note_stops(apps_[app], now);
}

void send_queue::unblock(app_index app, block_reason reason, steady_time now)
{
    apps_[app].blocks &= ~static_cast<unsigned>(reason);
    note_stops(apps_[app], now);
    give_turn(app);
}

bool send_queue::blocked(app_index app, block_reason reason) const noexcept
{
    return (apps_[app].blocks & static_cast<unsigned>(reason)) != 0;
}

void send_queue::park(lane where, steady_time until, steady_time now)
{
    auto& state = apps_[where.app].lanes[where.call];
    if (state.parked_until && *state.parked_until >= until)
        return;
    state.parked_until = until;
    wakeups_.push({until, where.app});
    note_stops(apps_[where.app], now);
}

std::optional<steady_time> send_queue::parked_until(lane where, steady_time now) const noexcept
{
    const auto& until = apps_[where.app].lanes[where.call].parked_until;
    return until && *until > now ? until : std::nullopt;
}

void send_queue::set_budget(lane where, const lane_budget& budget, steady_time now)
{
    auto& line = apps_[where.app].lanes[where.call];
    line.budget = budget;
    line.told_short = false;
    note_stops(apps_[where.app], now);
    give_turn(where.app);
}

send_queue::lane_use send_queue::use_of_lane(lane where, steady_time now) const noexcept
{
    const auto& app = apps_[where.app];
    const auto& state = app.lanes[where.call];
    lane_use use{state.used, state.under_way, {}};
    if (app.blocks != 0 || state.paused || (state.parked_until && *state.parked_until > now))
        return use;
    for (std::size_t urgency = 0; urgency < priority_count; ++urgency) {
        auto& ready = urgency == static_cast<std::size_t>(priority::high) ? use.ready.high : use.ready.normal;
        ready += static_cast<std::int64_t>(chains_.count(app.ready[urgency][where.call], most_counted_for_budget));
    }
    return use;
}

void send_queue::count_anew(lane where, const quota_amount& used) noexcept
{
    auto& state = apps_[where.app].lanes[where.call];
    state.used = used;
    state.told_used = false;
    ++state.count;
}

void send_queue::uncount(queue_item item) noexcept
{
    const auto& message = items_[item];
    auto& line = apps_[message.where.app].lanes[message.where.call];
    if (message.counted_in == line.count)
        --(message.high_permit ? line.used.high : line.used.normal);
}

std::optional<steady_time> send_queue::held_until(lane where, priority urgency, steady_time now) const noexcept
{
    const auto& budget = apps_[where.app].lanes[where.call].budget;
    const auto parked = parked_until(where, now);
    const auto& used_up = urgency == priority::high ? budget.used_up_until : budget.normal_used_up_until;
    if (!used_up || *used_up <= now)
        return parked;
    return parked ? std::max(parked, used_up) : used_up;
}

void send_queue::pause(lane where, bool paused, steady_time now)
{
    apps_[where.app].lanes[where.call].paused = paused;
    note_stops(apps_[where.app], now);
    give_turn(where.app);
}

void send_queue::note_stops(app_state& app, steady_time now)
{
    for (auto& each : app.lanes) {
        const auto& used_up = each.budget.normal_used_up_until;
        const bool stopped = app.blocks != 0 || each.paused || (each.parked_until && *each.parked_until > now) ||
                             (used_up && *used_up > now);
        if (stopped && !each.stopped_since) {
            each.stopped_since = now;
        } else if (!stopped && each.stopped_since) {
            each.stopped_for += now - *each.stopped_since;
            each.stopped_since.reset();
        }
    }
}

void send_queue::set_rate(app_index app, double per_second, double burst)
{
    apps_[app].bucket.set_rate(per_second, burst);
    apps_[app].writes.set_rate(per_second, burst);
    apps_[app].rate = per_second;
    apps_[app].burst = burst;
    wakeups_.push({apps_[app].bucket.next_at(), app});
}

void send_queue::lend_rate(app_index app, double per_second, double burst, steady_time until, steady_time now)
{
    auto& state = apps_[app];
    state.bucket.lend(per_second, burst, until, now);
    state.writes.lend(per_second, burst, until, now);
    state.rate = per_second;
    state.burst = burst;
    pace_lanes(app, now);
    if (per_second > 0 && until > now)
        wakeups_.push({state.bucket.next_at(), app});
}

send_queue::rate_use send_queue::use_of_rate(app_index app, steady_time now) const noexcept
{
    const auto& state = apps_[app];
    rate_use use{state.permits_taken, state.held_up};
    if (state.blocks != 0 || state.in_flight >= state.concurrency)
        return use;
    for (std::size_t call = 0; call < state.lanes.size(); ++call) {
        const auto& each = state.lanes[call];
        if (each.paused || (each.parked_until && *each.parked_until > now))
            continue;
        for (std::size_t urgency = 0; urgency < priority_count; ++urgency)
            if (!scarce({app, static_cast<std::uint32_t>(call)}, static_cast<priority>(urgency)))
                use.ready += chains_.count(state.ready[urgency][call], most_counted);
    }
    return use;
}

void send_queue::lane_pace::follow(double per_second, double burst, steady_time now)
{
    if (fraction >= 1) {
        bucket.reset();
        return;
    }
    if (!bucket)
        bucket.emplace(1, 1);
    bucket->share_rate(per_second * fraction, burst * fraction, now);
}

void send_queue::set_pace(lane where, double fraction, steady_time now)
{
    auto& app = apps_[where.app];
    auto& pace = app.lanes[where.call].pace;
    pace.fraction = fraction;
    pace.follow(app.rate, app.burst, now);
    wakeups_.push({pace.bucket ? pace.bucket->next_at() : now, where.app});
}

void send_queue::pace_lanes(app_index app, steady_time now)
{
    auto& state = apps_[app];
    for (auto& each : state.lanes)
        each.pace.follow(state.rate, state.burst, now);
}

/// Nothing of the app may go now; where it is a lane's pace alone that says so, it is looked at again when that lets
/// go.
void send_queue::wake_for_pace(app_index app, steady_time now)
{
    const auto& state = apps_[app];
    std::uint64_t ready = 0;
    for (const auto lanes : state.ready_lanes)
        ready |= lanes;
    std::optional<steady_time> next;
    for (std::size_t call = 0; ready >> call != 0 && call < state.lanes.size(); ++call) {
        const auto& pace = state.lanes[call].pace;
        if ((ready >> call & 1U) != 0 && !pace.may_go(now))
            next = std::min(next.value_or(pace.bucket->next_at()), pace.bucket->next_at());
    }
    if (next)
        wakeups_.push({*next, app});
}

void send_queue::set_concurrency(app_index app, std::size_t limit)
{
    apps_[app].concurrency = limit;
    give_turn(app);
}

std::optional<steady_time> send_queue::next_wakeup() const noexcept
{
    std::optional<steady_time> next;
    if (!waiting_.empty())
        next = waiting_.front().ready_at;
    if (!wakeups_.empty() && (!next || wakeups_.top().at < *next))
        next = wakeups_.top().at;
    return next;
}

steady_duration send_queue::active_time(lane where, steady_time now) const noexcept
{
    const auto& state = apps_[where.app].lanes[where.call];
    const auto stopped = state.stopped_for + (state.stopped_since ? now - *state.stopped_since : steady_duration{0});
    return now.time_since_epoch() - stopped;
}

void send_queue::remove_if(const std::function<bool(queue_item)>& gone, steady_time now)
{
    std::erase_if(waiting_, [this, &gone](const waiting& each) {
        const bool goes = gone(each.item);
        if (goes)
            --apps_[items_[each.item].where.app].queued;
        return goes;
    });
    for (auto& app : apps_)
        app.queued -= std::erase_if(app.held, gone);
    std::make_heap(waiting_.begin(), waiting_.end(), later{});
    std::vector<queue_item> first_of_lines;
    for (app_index index = 0; index < apps_.size(); ++index) {
        auto& app = apps_[index];
        first_of_lines.clear();
        app.queued -= remove_ready(app, gone, first_of_lines);
        app.queued -= app.recipients.remove_if(gone, now, woken_);
        for (const auto item : first_of_lines)
            app.recipients.drop_woken(items_[item].to, items_[item].line(), now, woken_);
        put_woken(index);
        give_turn(index);
    }
}

std::size_t send_queue::remove_ready(app_state& app, const std::function<bool(queue_item)>& gone,
                                     std::vector<queue_item>& removed_woken)
{
    std::size_t removed = 0;
    for (std::size_t urgency = 0; urgency < priority_count; ++urgency)
        for (std::size_t call = 0; call < app.lanes.size(); ++call) {
            auto& list = app.ready[urgency][call];
            removed += chains_.remove_if(list, [&](queue_item item) {
                const bool goes = gone(item);
                if (goes && items_[item].woken)
                    removed_woken.push_back(item);
                return goes;
            });
            if (list.empty())
                app.ready_lanes[urgency] &= ~(std::uint64_t{1} << call);
        }
    return removed;
}

} // namespace wxcourier::domain
