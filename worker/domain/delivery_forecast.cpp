// SPDX-License-Identifier: Apache-2.0
#include "domain/delivery_forecast.hpp"

#include "domain/calendar.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <set>

namespace wxcourier::domain {
namespace {

constexpr std::size_t most_groups = 50'000;
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
/// Of a message: less is what rounding left.
constexpr double crumb = 1e-6;
/// Shares of the turns by the priority that is looked at first (domain/send_queue).
constexpr std::array<double, priority_count> turns{56.0 / 64, 7.0 / 64, 1.0 / 64};

std::int64_t divided_up(std::int64_t value, std::int64_t by)
{
    return value <= 0 ? 0 : (value + by - 1) / by;
}

} // namespace

delivery_forecast::key delivery_forecast::key_of(std::uint32_t call, priority urgency, wall_time ready_at,
                                                 std::optional<wall_time> expires_at) const
{
    const auto grain = grain_.count();
    const auto ready = divided_up((ready_at - start_).count(), grain);
    // Rounded together: messages that wait equally long at most do not become two groups by when their times fall.
    return {ready, expires_at ? ready + divided_up((*expires_at - ready_at).count(), grain) : never, call, urgency};
}

void delivery_forecast::add(std::uint32_t call, priority urgency, wall_time ready_at,
                            std::optional<wall_time> expires_at)
{
    ++groups_[key_of(call, urgency, ready_at, expires_at)].messages;
    while (groups_.size() > most_groups)
        coarsen();
}

void delivery_forecast::coarsen()
{
    grain_ *= 2;
    groups coarser;
    for (const auto& [old, each] : groups_) {
        auto moved = old;
        moved.ready = divided_up(old.ready, 2);
        moved.expires = old.expires == never ? never : moved.ready + divided_up(old.expires - old.ready, 2);
        coarser[moved].messages += each.messages;
    }
    groups_ = std::move(coarser);
}

bool delivery_forecast::expires(std::uint32_t call, priority urgency, wall_time ready_at,
                                std::optional<wall_time> expires_at)
{
    auto& found = groups_[key_of(call, urgency, ready_at, expires_at)];
    return ++found.asked > found.sent;
}

/// The state of a run. Times are seconds since the start.
class delivery_forecast::flow {
public:
    flow(const forecast_limits& limits, wall_time start, milliseconds grain, groups& all)
        : limits_(limits), start_(start), grain_(std::chrono::duration<double>(grain).count()), all_(all),
          next_ready_(all.begin()), tokens_(limits.burst)
    {
        for (auto& [key, each] : all_) {
            each.left = static_cast<double>(each.messages);
            result_.messages += each.messages;
            calls_.resize(std::max<std::size_t>(calls_.size(), key.call + 1));
        }
        result_.done_at = start_;
        midnight_ = after(next_day_in_china(start_));
    }

    forecast run()
    {
        while (step()) {
        }
        for (auto& [key, each] : all_) {
            each.sent = each.messages - std::min(each.messages, static_cast<std::uint64_t>(std::llround(each.left)));
            result_.sent += each.sent;
        }
        result_.expired = result_.messages - result_.sent;
        result_.done_at = at(last_sent_);
        return std::move(result_);
    }

private:
    /// One call's messages of one priority.
    struct line {
        std::deque<groups::iterator> ready;
        double waiting = 0;
        double per_second = 0;
    };
    struct call_state {
        std::array<line, priority_count> lines;
        double used = 0;                  ///< Of the day's quota.
        std::array<bool, 2> stop_noted{}; ///< Today: of all, of all but `high`.
    };

    [[nodiscard]] double after(wall_time time) const { return std::chrono::duration<double>(time - start_).count(); }
    [[nodiscard]] wall_time at(double time) const
    {
        return start_ + milliseconds(static_cast<milliseconds::rep>(std::ceil(time * 1000 - crumb)));
    }
    [[nodiscard]] double seconds_of(std::int64_t steps) const { return static_cast<double>(steps) * grain_; }

    /// What a line may still use of the day's quota.
    [[nodiscard]] double quota_left(const call_state& call, std::size_t urgency) const
    {
        if (!limits_.quota.daily)
            return std::numeric_limits<double>::infinity();
        auto whole = static_cast<double>(*limits_.quota.daily);
        if (urgency != static_cast<std::size_t>(priority::high))
            whole = std::floor(whole * (100 - limits_.quota.reserve_percent) / 100);
        return std::max(0.0, whole - call.used);
    }

    void get_ready()
    {
        for (; next_ready_ != all_.end() && seconds_of(next_ready_->first.ready) <= now_; ++next_ready_) {
            const auto& key = next_ready_->first;
            auto& into = calls_[key.call].lines.at(static_cast<std::size_t>(key.urgency));
            into.ready.push_back(next_ready_);
            into.waiting += next_ready_->second.left;
            if (key.expires != never)
                expiries_.emplace(key.expires, &into);
        }
    }

    void expire()
    {
        while (!expiries_.empty() && seconds_of(expiries_.begin()->first) <= now_) {
            auto& from = *expiries_.begin()->second;
            std::erase_if(from.ready, [&](const auto& each) {
                const bool gone = each->first.expires != never && seconds_of(each->first.expires) <= now_;
                if (gone)
                    from.waiting = std::max(0.0, from.waiting - each->second.left);
                return gone;
            });
            if (from.ready.empty())
                from.waiting = 0;
            expiries_.erase(expiries_.begin());
        }
    }

    void begin_day()
    {
        if (now_ < midnight_)
            return;
        for (auto& each : calls_) {
            each.used = 0;
            each.stop_noted = {};
        }
        midnight_ = after(next_day_in_china(start_ + milliseconds(std::llround(now_ * 1000))));
    }

    void note_stops()
    {
        for (std::uint32_t index = 0; index < calls_.size(); ++index) {
            auto& call = calls_[index];
            const bool high_stopped = quota_left(call, 0) < crumb;
            const double others = call.lines[1].waiting + call.lines[2].waiting;
            const double waiting = others + (high_stopped ? call.lines[0].waiting : 0);
            if (waiting < crumb || quota_left(call, 1) >= crumb || call.stop_noted.at(high_stopped ? 0 : 1))
                continue;
            call.stop_noted.at(high_stopped ? 0 : 1) = true;
            if (result_.stops.size() < most_stops)
                result_.stops.push_back(
                    {index, at(now_), at(midnight_), static_cast<std::uint64_t>(std::llround(waiting)), !high_stopped});
            else
                ++result_.more_stops;
        }
    }

    /// Divides the rate among the lines that may go. False: none may.
    bool divide(double per_second)
    {
        std::array<double, priority_count> going{};
        for (auto& call : calls_)
            for (std::size_t urgency = 0; urgency < priority_count; ++urgency) {
                auto& each = call.lines.at(urgency);
                const bool goes = each.waiting >= crumb && quota_left(call, urgency) >= crumb;
                each.per_second = goes ? 1 : 0;
                going.at(urgency) += each.per_second;
            }
        const auto urgent = std::find_if(going.begin(), going.end(), [](double lines) { return lines > 0; });
        if (urgent == going.end())
            return false;
        std::array<double, priority_count> share{};
        for (std::size_t urgency = 0; urgency < priority_count; ++urgency)
            share.at(going.at(urgency) > 0 ? urgency : static_cast<std::size_t>(urgent - going.begin())) +=
                turns.at(urgency);
        for (auto& call : calls_)
            for (std::size_t urgency = 0; urgency < priority_count; ++urgency)
                call.lines.at(urgency).per_second *= per_second * share.at(urgency) / std::max(1.0, going.at(urgency));
        return true;
    }

    /// The time until something changes by itself: a group gets ready or expires, the day ends.
    [[nodiscard]] double until_next_event() const
    {
        double next = std::numeric_limits<double>::infinity();
        if (next_ready_ != all_.end())
            next = seconds_of(next_ready_->first.ready);
        if (!expiries_.empty())
            next = std::min(next, seconds_of(expiries_.begin()->first));
        if (limits_.quota.daily)
            next = std::min(next, midnight_);
        return next - now_;
    }

    [[nodiscard]] bool anything_left() const
    {
        return next_ready_ != all_.end() || std::any_of(calls_.begin(), calls_.end(), [](const auto& call) {
                   return std::any_of(call.lines.begin(), call.lines.end(),
                                      [](const auto& each) { return each.waiting >= crumb; });
               });
    }

    bool step()
    {
        begin_day();
        get_ready();
        expire();
        if (!anything_left())
            return false;
        note_stops();
        const double rate = limits_.rate_per_second;
        const double fastest = std::max(limits_.most_per_second, 1e-9);
        const bool bursting = tokens_ > crumb && fastest > rate;
        const double per_second = bursting ? fastest : std::min(rate, fastest);
        const bool goes = divide(per_second);
        double wait = until_next_event();
        if (goes && bursting)
            wait = std::min(wait, tokens_ / (fastest - rate));
        for (const auto& call : calls_) {
            double all = 0;
            double low = 0;
            for (std::size_t urgency = 0; urgency < priority_count; ++urgency) {
                const auto& each = call.lines.at(urgency);
                all += each.per_second;
                low += urgency == 0 ? 0 : each.per_second;
                if (each.per_second > 0)
                    wait = std::min(wait, each.waiting / each.per_second);
            }
            if (all > 0)
                wait = std::min(wait, quota_left(call, 0) / all);
            if (low > 0)
                wait = std::min(wait, quota_left(call, 1) / all);
        }
        if (!std::isfinite(wait))
            return false;
        wait = std::max(wait, 1e-9);
        send(wait);
        tokens_ = std::clamp(tokens_ + wait * (rate - (goes ? per_second : 0)), 0.0, limits_.burst);
        now_ += wait;
        if (goes)
            last_sent_ = now_;
        return true;
    }

    void send(double time)
    {
        for (auto& call : calls_)
            for (auto& each : call.lines) {
                double sent = std::min(each.waiting, each.per_second * time);
                if (sent <= 0)
                    continue;
                each.waiting = each.waiting - sent < crumb ? 0 : each.waiting - sent;
                call.used += sent;
                while (sent > 0 && !each.ready.empty()) {
                    auto& first = each.ready.front()->second;
                    const double taken = std::min(first.left, sent);
                    first.left -= taken;
                    sent -= taken;
                    if (first.left >= crumb)
                        break;
                    first.left = 0;
                    each.ready.pop_front();
                }
            }
    }

    const forecast_limits& limits_;
    wall_time start_;
    double grain_;
    groups& all_;
    groups::iterator next_ready_;
    std::deque<call_state> calls_; ///< Lines are pointed to.
    std::multimap<std::int64_t, line*> expiries_;
    double tokens_;
    double now_ = 0;
    double last_sent_ = 0;
    double midnight_ = 0;
    forecast result_;
};

forecast delivery_forecast::run()
{
    return flow(limits_, start_, grain_, groups_).run();
}

} // namespace wxcourier::domain
