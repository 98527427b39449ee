// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which delayed topic a job waits on, and when it is looked at again. Each of them is a queue of one fixed length in
/// time, so that its records become due in the order in which they were written and none hides behind a later one.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <vector>

namespace wxcourier::domain {

/// What is known of the end of a wait.
enum class wait_end : std::uint8_t {
    known, ///< A time that has to be met: `not_before`, the reset of a quota.
    open,  ///< Until somebody mends or resumes something, or memory is free: the time is only when to look again.
};

/// The rules of the delayed topics, shortest first. Pure.
class delay_plan {
public:
    /// Beyond its length a job may be late on its way over a topic by so much and still be on time.
    static constexpr milliseconds margin{5'000};

    /// @param lengths  of the topics, ascending, at least one.
    explicit delay_plan(std::vector<milliseconds> lengths) : lengths_(std::move(lengths)) {}

    /// A job that is written to a topic comes back after this at the earliest.
    [[nodiscard]] milliseconds shortest() const noexcept { return lengths_.front(); }

    /// A wait longer than this is not waited in memory.
    [[nodiscard]] milliseconds longest_in_memory() const noexcept { return shortest() + margin; }

    /// The topic for a job that has to wait so long: the longest from which it comes back in time. A wait with a known
    /// end always passes over the shortest one last, so that two copies of a job meet there.
    [[nodiscard]] std::size_t topic_for(milliseconds wait, wait_end end) const noexcept;

    /// When a record of that topic is looked at again.
    /// @param written  its Kafka timestamp; one that lies ahead of `now` (another clock, or this one was set) counts as
    /// now.
    [[nodiscard]] wall_time looked_at(std::size_t topic, wall_time written, wall_time now) const noexcept;

    /// How long a wait with an open end goes on before it is looked at again: as long as it has lasted, within the two
    /// shortest lengths. So the cost of looking stays small, and what ends is noticed in a time that its length
    /// excuses.
    [[nodiscard]] milliseconds next_look(milliseconds waited) const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return lengths_.size(); }

private:
    std::vector<milliseconds> lengths_;
};

} // namespace wxcourier::domain
