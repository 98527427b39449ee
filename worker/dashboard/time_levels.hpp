// SPDX-License-Identifier: Apache-2.0
/// @file
/// Counts over time, finely for what is recent and coarsely for what is long ago: each status is counted on every level
/// that reaches back far enough, so that statuses may come in any order and a coarse level needs nothing of a fine one.
#pragma once

#include "common/time.hpp"
#include "dashboard/tally.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wxcourier::dashboard {

/// One level: so many buckets of this width, the youngest ones.
struct level_shape {
    seconds width;
    std::size_t buckets;
};

/// 16 minutes in seconds, 2 hours in tens of seconds, a day in minutes, a week in quarters, two months in 3 hours.
std::span<const level_shape> default_levels() noexcept;

class time_levels {
public:
    using bucket_tally = tally<std::uint32_t>;

    /// @param most_cells  counters on all levels together; beyond it the oldest bucket of the largest level goes.
    explicit time_levels(std::span<const level_shape> shapes = default_levels(), std::size_t most_cells = 2'500'000);

    void add(wall_time at, series_id series, latency_bin bin);

    /// The number of the finest level that still has all from `from` on in at most `most_buckets` buckets before `to`;
    /// the coarsest where none has.
    [[nodiscard]] std::size_t level_for(wall_time from, wall_time to, std::size_t most_buckets) const;
    [[nodiscard]] std::size_t size() const noexcept { return levels_.size(); }
    [[nodiscard]] seconds width(std::size_t level) const { return levels_[level].width; }
    /// Everything at or after this time that was counted is still on the level.
    [[nodiscard]] wall_time reaches_back_to(std::size_t level) const;

    /// Calls `visit(wall_time begin, const bucket_tally&)` for the buckets that begin in [from, to), in order.
    template <typename Visit>
    void for_each(std::size_t level, wall_time from, wall_time to, Visit&& visit) const
    {
        const auto& rows = levels_[level];
        const auto first = std::max(rows.index_of(from), rows.lowest());
        const auto last = std::min(rows.index_of(to - milliseconds{1}), rows.newest);
        for (auto index = first; index <= last; ++index) {
            const auto& found = rows.ring[rows.slot_of(index)];
            if (found.index == index && !found.counts.cells().empty())
                visit(rows.begin_of(index), found.counts);
        }
    }

    [[nodiscard]] std::size_t cells() const noexcept { return cells_; }

private:
    struct bucket {
        std::int64_t index = -1;
        bucket_tally counts;
    };
    struct level {
        seconds width;
        std::vector<bucket> ring;
        std::int64_t newest = -1;
        std::int64_t dropped_below = 0; ///< Buckets before this one were given up for the bound.
        std::size_t cells = 0;

        [[nodiscard]] std::int64_t index_of(wall_time at) const { return at.time_since_epoch() / width; }
        [[nodiscard]] wall_time begin_of(std::int64_t index) const { return wall_time{index * width}; }
        [[nodiscard]] std::size_t slot_of(std::int64_t index) const
        {
            return static_cast<std::size_t>(index) % ring.size();
        }
        [[nodiscard]] std::int64_t lowest() const
        {
            return std::max({dropped_below, newest + 1 - static_cast<std::int64_t>(ring.size()), std::int64_t{0}});
        }
    };

    void empty(level& rows, bucket& gone);
    void give_up_oldest();

    std::vector<level> levels_;
    std::size_t most_cells_;
    std::size_t cells_ = 0;
};

} // namespace wxcourier::dashboard
