// SPDX-License-Identifier: Apache-2.0
#include "domain/recipient_gate.hpp"

#include <algorithm>

namespace wxcourier::domain {

steady_time recipient_gate::free_at(const recipient& who) const noexcept
{
    if (!limit_ || who.sends < limit_->max)
        return who.held_until;
    return std::max(who.held_until, sends_[who.first_send - first_send_].at + limit_->window);
}

bool recipient_gate::admits(slot who, steady_time now) const noexcept
{
    if (who == unknown)
        return true;
    const auto& known = recipients_[who];
    return !known.busy && free_at(known) <= now;
}

recipient_gate::slot recipient_gate::enter(recipient_key key, slot who)
{
    if (who == unknown)
        who = recipients_.make(key);
    recipients_[who].busy = true;
    return who;
}

void recipient_gate::leave(slot who, steady_time now, bool arrived, std::vector<queue_item>& woken)
{
    if (limit_ && arrived)
        remember(who, now, woken);
    recipients_[who].busy = false;
    settle(who, now, woken);
}

void recipient_gate::remember(slot who, steady_time now, std::vector<queue_item>& woken)
{
    // Counted from the request's end: between two messages' arrivals lies at least what lies between the end of the
    // first one's request and the beginning of the second one's.
    while (sends_.size() >= remember_) {
        ++forgotten_;
        forget_oldest(now, woken);
    }
    const auto number = first_send_ + static_cast<std::uint32_t>(sends_.size());
    auto& known = recipients_[who];
    if (known.sends == 0)
        known.first_send = number;
    else
        sends_[known.last_send - first_send_].next = number;
    known.last_send = number;
    ++known.sends;
    sends_.push_back({now, who});
}

void recipient_gate::forget_oldest(steady_time now, std::vector<queue_item>& woken)
{
    const auto [at, to, next] = sends_.front();
    sends_.pop_front();
    ++first_send_;
    auto& known = recipients_[to];
    --known.sends;
    known.first_send = next;
    settle(to, now, woken);
}

void recipient_gate::hold(recipient_key key, steady_time until)
{
    auto who = recipients_.find(key);
    if (who == unknown)
        who = recipients_.make(key);
    auto& known = recipients_[who];
    known.held_until = std::max(known.held_until, until);
    arm(who, free_at(known));
}

void recipient_gate::wait(queue_item item, slot who, std::uint32_t line, bool again, steady_time now)
{
    auto& joined = lines_[line_of(who, line, true)];
    if (again) {
        joined.woken = false;
        chains_->push_front(joined.items, item);
    } else {
        chains_->push_back(joined.items, item);
    }
    ++waiting_;
    const auto& known = recipients_[who];
    if (const auto at = free_at(known); at > now)
        arm(who, at);
}

void recipient_gate::take_over(slot who, std::uint32_t line)
{
    const auto at = line_of(who, line, false);
    lines_[at].woken = false;
    if (lines_[at].items.empty())
        free_line(who, at);
}

void recipient_gate::drop_woken(recipient_key key, std::uint32_t line, steady_time now, std::vector<queue_item>& woken)
{
    const auto who = recipients_.find(key);
    take_over(who, line);
    settle(who, now, woken);
}

std::uint32_t recipient_gate::line_of(slot who, std::uint32_t number, bool make)
{
    auto at = recipients_[who].lines;
    while (at != no_line && lines_[at].number != number)
        at = lines_[at].next;
    if (at != no_line || !make)
        return at;
    if (free_lines_ == no_line) {
        free_lines_ = static_cast<std::uint32_t>(lines_.size());
        lines_.emplace_back();
    }
    at = free_lines_;
    free_lines_ = lines_[at].next;
    lines_[at] = {.items = {}, .of = who, .number = number, .next = recipients_[who].lines};
    recipients_[who].lines = at;
    return at;
}

void recipient_gate::free_line(slot who, std::uint32_t at)
{
    auto* link = &recipients_[who].lines;
    while (*link != at)
        link = &lines_[*link].next;
    *link = lines_[at].next;
    lines_[at] = {};
    lines_[at].next = free_lines_;
    free_lines_ = at;
}

void recipient_gate::arm(slot who, steady_time at)
{
    auto& known = recipients_[who];
    if (known.timer <= at)
        return; // looked at before that, and armed again then
    known.timer = at;
    timers_.push({at, who});
}

/// Wakes who may go to the recipient, forgets a recipient of which nothing is left to know, or has the gate look again.
void recipient_gate::settle(slot who, steady_time now, std::vector<queue_item>& woken)
{
    auto& known = recipients_[who];
    if (known.busy)
        return;
    if (const auto at = free_at(known); at > now) {
        // A limit nobody waits for needs no timer: its sends leave the memory anyway.
        if (known.lines != no_line || known.held_until > now)
            arm(who, at);
        return;
    }
    for (auto at = known.lines; at != no_line; at = lines_[at].next) {
        auto& each = lines_[at];
        if (each.woken || each.items.empty())
            continue;
        woken.push_back(chains_->pop_front(each.items));
        --waiting_;
        each.woken = true;
    }
    if (known.lines == no_line && known.sends == 0)
        recipients_.erase(who);
}

void recipient_gate::ripen(steady_time now, std::vector<queue_item>& woken)
{
    while (limit_ && !sends_.empty() && sends_.front().at + limit_->window <= now)
        forget_oldest(now, woken);
    while (!timers_.empty() && timers_.top().at <= now) {
        const auto [at, who] = timers_.top();
        timers_.pop();
        if (!recipients_.used(who) || recipients_[who].timer != at)
            continue; // of a recipient that has been forgotten, or looked at earlier
        recipients_[who].timer = steady_time::max();
        settle(who, now, woken);
    }
}

std::optional<steady_time> recipient_gate::next_at() const noexcept
{
    if (timers_.empty())
        return std::nullopt;
    return timers_.top().at;
}

std::optional<steady_time> recipient_gate::held_until(recipient_key key, steady_time now) const noexcept
{
    const auto who = recipients_.find(key);
    if (who == unknown)
        return std::nullopt;
    const auto at = free_at(recipients_[who]);
    return at > now ? std::optional(at) : std::nullopt;
}

void recipient_gate::set_limit(std::optional<recipient_limit> limit, steady_time now, std::vector<queue_item>& woken)
{
    if (limit == limit_)
        return;
    limit_ = limit;
    while (!limit_ && !sends_.empty())
        forget_oldest(now, woken);
    ripen(now, woken);
    for (std::uint32_t at = 0; at < lines_.size(); ++at)
        if (const auto who = lines_[at].of; who != unknown) {
            recipients_[who].timer = steady_time::max(); // it may be due sooner than was thought
            settle(who, now, woken);
        }
}

std::size_t recipient_gate::remove_if(const std::function<bool(queue_item)>& gone, steady_time now,
                                      std::vector<queue_item>& woken)
{
    std::size_t removed = 0;
    std::vector<slot> touched;
    for (std::uint32_t at = 0; at < lines_.size(); ++at) {
        const auto who = lines_[at].of;
        if (who == unknown)
            continue;
        removed += chains_->remove_if(lines_[at].items, gone);
        if (lines_[at].items.empty() && !lines_[at].woken) {
            free_line(who, at);
            touched.push_back(who);
        }
    }
    waiting_ -= removed;
    for (const auto who : touched)
        if (recipients_.used(who)) // two lines of one recipient, which the first has had forgotten
            settle(who, now, woken);
    return removed;
}

} // namespace wxcourier::domain
