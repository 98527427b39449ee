// SPDX-License-Identifier: Apache-2.0
#include "domain/send_queue.hpp"

#include <algorithm>

namespace wxcourier::domain {
namespace {

/// Of 64 turns of a lane: which urgency is looked at first.
priority favoured(unsigned turn) noexcept
{
    if (turn % 64 == 63)
        return priority::low;
    return turn % 8 == 7 ? priority::normal : priority::high;
}

} // namespace

send_queue::app_state::app_state(const app_limits& limits)
    : bucket(limits.rate_per_second, limits.burst), resumed(bucket), concurrency(limits.concurrency),
      lanes(limits.calls)
{
}

bool send_queue::later::operator()(const waiting& left, const waiting& right) const noexcept
{
    return left.ready_at != right.ready_at ? left.ready_at > right.ready_at : left.order > right.order;
}

send_queue::send_queue(const std::vector<app_limits>& apps)
{
    for (const auto& limits : apps)
        apps_.emplace_back(limits);
}

void send_queue::push(queue_item item, lane where, priority urgency, steady_time ready_at)
{
    ++apps_[where.app].queued;
    waiting_.push_back({ready_at, pushed_++, item, where, urgency});
    std::push_heap(waiting_.begin(), waiting_.end(), later{});
}

void send_queue::ripen(steady_time now)
{
    while (!waiting_.empty() && waiting_.front().ready_at <= now) {
        const waiting ripe = waiting_.front();
        std::pop_heap(waiting_.begin(), waiting_.end(), later{});
        waiting_.pop_back();
        apps_[ripe.where.app].lanes[ripe.where.call].ready[static_cast<std::size_t>(ripe.urgency)].push_back(ripe.item);
        give_turn(ripe.where.app);
    }
    while (!wakeups_.empty() && wakeups_.top().at <= now) {
        const auto [at, app] = wakeups_.top();
        wakeups_.pop();
        note_stops(apps_[app], at); // a park ended then, however late somebody looks
        give_turn(app);
    }
}

void send_queue::give_turn(app_index app)
{
    auto& state = apps_[app];
    if (state.in_turn || state.blocks != 0 || state.in_flight >= state.concurrency)
        return;
    state.in_turn = true;
    turns_.push_back(app);
}

std::optional<queue_item> send_queue::pop(steady_time now)
{
    ripen(now);
    while (!turns_.empty()) {
        const auto index = turns_.front();
        turns_.pop_front();
        auto& app = apps_[index];
        app.in_turn = false;
        if (app.blocks != 0 || app.in_flight >= app.concurrency)
            continue; // unblock() or release() gives the turn back
        const auto from = next_ready_lane(app, now);
        if (!from)
            continue; // a push or the end of a park gives the turn back
        if (!app.bucket.try_take(now)) {
            wakeups_.push({app.bucket.next_at(), index});
            continue;
        }
        app.next_lane = (*from + 1) % app.lanes.size();
        const auto item = take(app.lanes[*from]);
        --app.queued;
        ++app.in_flight;
        give_turn(index);
        return item;
    }
    return std::nullopt;
}

std::optional<std::size_t> send_queue::next_ready_lane(const app_state& app, steady_time now)
{
    for (std::size_t i = 0; i < app.lanes.size(); ++i) {
        const auto index = (app.next_lane + i) % app.lanes.size();
        const auto& candidate = app.lanes[index];
        const bool parked = candidate.parked_until && *candidate.parked_until > now;
        const bool ready = std::any_of(candidate.ready.begin(), candidate.ready.end(),
                                       [](const auto& items) { return !items.empty(); });
        if (ready && !parked && !candidate.paused)
            return index;
    }
    return std::nullopt;
}

queue_item send_queue::take(lane_state& from)
{
    const auto first = static_cast<std::size_t>(favoured(from.turn++));
    auto* chosen = &from.ready[first];
    for (std::size_t i = 0; chosen->empty(); ++i)
        chosen = &from.ready[i];
    const auto item = chosen->front();
    chosen->pop_front();
    return item;
}

steady_time send_queue::resume_at(app_index app, steady_time now) noexcept
{
    return apps_[app].resumed.reserve(now);
}

void send_queue::release(app_index app)
{
    --apps_[app].in_flight;
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

void send_queue::pause(lane where, bool paused, steady_time now)
{
    apps_[where.app].lanes[where.call].paused = paused;
    note_stops(apps_[where.app], now);
    give_turn(where.app);
}

void send_queue::note_stops(app_state& app, steady_time now)
{
    for (auto& each : app.lanes) {
        const bool stopped = app.blocks != 0 || each.paused || (each.parked_until && *each.parked_until > now);
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
    apps_[app].resumed.set_rate(per_second, burst);
    wakeups_.push({apps_[app].bucket.next_at(), app});
}

void send_queue::share_rate(app_index app, double per_second, double burst, steady_time now)
{
    apps_[app].bucket.share_rate(per_second, burst, now);
    wakeups_.push({apps_[app].bucket.next_at(), app});
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

void send_queue::remove_if(const std::function<bool(queue_item)>& gone)
{
    for (auto& app : apps_)
        for (auto& each : app.lanes)
            for (auto& items : each.ready)
                app.queued -= std::erase_if(items, gone);
    std::erase_if(waiting_, [this, &gone](const waiting& each) {
        const bool goes = gone(each.item);
        if (goes)
            --apps_[each.where.app].queued;
        return goes;
    });
    std::make_heap(waiting_.begin(), waiting_.end(), later{});
}

} // namespace wxcourier::domain
