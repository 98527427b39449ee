// SPDX-License-Identifier: Apache-2.0
/// @file
/// When the jobs come back that an app has no room in memory for: one after another, as fast as the app can send.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <optional>

namespace wxcourier::domain {

/// One app's. Were all told to come back at once, most would be sent away again, each time at the cost of writing and
/// reading them. Pure; not thread-safe.
class spill_pace {
public:
    /// The furthest that a job is told to come back: what is known of the app's pace does not hold for longer.
    static constexpr milliseconds longest{600'000};

    /// @param expected  messages a second, until something has been measured: the app's rate.
    explicit spill_pace(double expected) : per_second_(expected) {}

    /// Messages have ended.
    void note_ended(std::size_t messages) noexcept { ended_ += messages; }
    /// Whether some have since the last measurement.
    [[nodiscard]] bool has_ended() const noexcept { return ended_ > 0; }
    /// Called about once a second.
    /// @param busy  the app had messages that it might send all the time since the last call: only then what has ended
    /// says how fast it is.
    void measure(steady_time now, bool busy) noexcept;

    [[nodiscard]] double per_second() const noexcept { return per_second_; }

    /// When a job with so many messages is to come back: behind those that were told before.
    /// @param earliest  not before that.
    wall_time next(wall_time earliest, wall_time now, std::size_t messages) noexcept;

private:
    double per_second_;
    std::size_t ended_ = 0;
    std::optional<steady_time> measured_;
    double taken_until_ = 0; ///< Milliseconds since the epoch: a fast app's jobs are less than one apart.
};

} // namespace wxcourier::domain
