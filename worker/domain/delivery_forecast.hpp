// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long an app's messages will take under its limits: what `wxcourier plan` says. Counts, not messages, are kept,
/// so that any number of them takes little memory and time.
#pragma once

#include "common/time.hpp"
#include "domain/push_job.hpp"
#include "domain/send_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace wxcourier::domain {

struct forecast_limits {
    double rate_per_second = 200; ///< Of the whole group.
    double burst = 50;
    double most_per_second = 1e9; ///< What the senders can do: requests at a time over the time of an answer.
    quota_limits quota{};
};

/// A quota that is used up while messages wait.
struct quota_stop {
    std::uint32_t call = 0; ///< Index of the kind in `all_kinds()`.
    wall_time used_up_at{};
    wall_time goes_on_at{};    ///< 00:00 in UTC+8.
    std::uint64_t waiting = 0; ///< Messages that were ready then, and wait for it.
    bool reserve_left = false; ///< Messages of high priority still go.
};

struct forecast {
    std::uint64_t messages = 0;
    std::uint64_t sent = 0;
    std::uint64_t expired = 0;     ///< Their time is over before their turn comes.
    wall_time done_at{};           ///< When the last one is sent; the start where none is.
    std::vector<quota_stop> stops; ///< The first `most_stops` …
    std::uint64_t more_stops = 0;  ///< … and how many there are besides.
};

/// The messages of one app as a flow: as in the send queue (domain/send_queue), `high` goes first, with every eighth
/// turn left to `normal` and every eighth of those to `low`; calls take turns; the token bucket starts full; a day's
/// quota holds for each call. Retries, parks by WeChat and other apps are not foreseen. Not thread-safe.
class delivery_forecast {
public:
    static constexpr std::size_t most_stops = 100;

    delivery_forecast(const forecast_limits& limits, wall_time start) : limits_(limits), start_(start) {}

    /// One more message, in the order of the queue.
    void add(std::uint32_t call, priority urgency, wall_time ready_at, std::optional<wall_time> expires_at);

    /// Lets time run. After the last `add`; once.
    forecast run();

    /// After `run`: whether a message would expire. To be asked for all of them, in the order they were added.
    bool expires(std::uint32_t call, priority urgency, wall_time ready_at, std::optional<wall_time> expires_at);

private:
    /// Messages that differ in nothing that matters: of one call and priority, ready and expiring at about one time.
    struct key {
        std::int64_t ready = 0; ///< In `grain_`, since the start.
        std::int64_t expires = 0;
        std::uint32_t call = 0;
        priority urgency = priority::normal;

        auto operator<=>(const key&) const = default;
    };
    struct group {
        std::uint64_t messages = 0;
        double left = 0;        ///< Not sent yet.
        std::uint64_t sent = 0; ///< After run().
        std::uint64_t asked = 0;
    };
    using groups = std::map<key, group>;
    class flow;

    [[nodiscard]] key key_of(std::uint32_t call, priority urgency, wall_time ready_at,
                             std::optional<wall_time> expires_at) const;
    void coarsen();

    forecast_limits limits_;
    wall_time start_;
    milliseconds grain_{100}; ///< Times are rounded to it; it grows when there are too many different ones.
    groups groups_;
};

} // namespace wxcourier::domain
