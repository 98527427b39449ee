// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_shares.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

/// Messages a second: so many are let through about as fast as they could be written elsewhere.
constexpr double fast = 500;
/// A token that is on its way and a breaker that tries again are waited for.
constexpr int moment = 5;
/// Messages in 100 ms: who sends so many is quick.
constexpr std::size_t quick_ends = 1000;
/// What is under way, on its way to Kafka and next in line, in terms of what may be in flight; and where that is
/// little, enough to go on with while the next are read.
constexpr std::size_t rounds_in_memory = 3;
constexpr std::size_t least_in_line = 256;

} // namespace

memory_shares::memory_shares(const engine_options& options) : options_(options)
{
    for (const auto& each : options.apps)
        add_app(each);
}

void memory_shares::add_app(const app_options& app)
{
    apps_.emplace_back(app.limits.rate_per_second);
}

void memory_shares::measure(domain::app_index app, steady_time now, bool blocked, bool queued, bool sending)
{
    auto& own = apps_[app];
    own.seconds_blocked = blocked ? own.seconds_blocked + 1 : 0;
    // Messages that are in line although nothing is sent or ends wait for something else than their turn.
    own.pace.measure(now, queued && !blocked && (sending || own.pace.has_ended()));
}

void memory_shares::look_who_is_quick() noexcept
{
    for (auto& each : apps_) {
        const bool slow = std::exchange(each.ended, 0) < quick_ends && each.messages > 0;
        each.slow_looks = slow ? std::min(each.slow_looks + 1, account::slow_after) : 0;
    }
}

std::size_t memory_shares::worth_reading(const domain::send_queue& queue, std::size_t uncommitted,
                                         std::size_t in_flight_limit) const
{
    std::size_t supply = 0;
    // Once in a turn of reading: 2 µs for a thousand apps.
    for (domain::app_index app = 0; app < apps_.size(); ++app) {
        const auto busy = 2 * (queue.in_flight(app) + uncommitted) >= options_.apps[app].limits.concurrency;
        if (apps_[app].quick() && (busy || !queue.has_begun(app)))
            supply += apps_[app].messages;
    }
    const auto enough = rounds_in_memory * in_flight_limit + least_in_line;
    return supply < enough ? enough - supply : 0;
}

bool memory_shares::is_fast(domain::app_index app) const
{
    return apps_[app].seconds_blocked < moment && apps_[app].pace.per_second() >= fast;
}

bool memory_shares::full(domain::app_index app, domain::priority urgency, std::size_t messages,
                         std::size_t used_messages, std::size_t used_bytes) const
{
    const auto& own = apps_[app];
    if (own.messages == 0)
        return false;
    const auto& limits = options_.admission;
    const std::size_t weight = urgency == domain::priority::high ? 2 : 1;
    const auto free_messages = limits.messages - std::min(limits.messages, used_messages);
    const auto free_bytes = limits.bytes - std::min(limits.bytes, used_bytes);
    return own.messages + messages > weight * free_messages || own.bytes.used() > weight * free_bytes;
}

} // namespace wxcourier::engine
