// SPDX-License-Identifier: Apache-2.0
#include "dashboard/time_levels.hpp"

#include <array>

namespace wxcourier::dashboard {

std::span<const level_shape> default_levels() noexcept
{
    static constexpr std::array<level_shape, 5> shapes{{{seconds{1}, 960},
                                                        {seconds{10}, 730},
                                                        {seconds{60}, 1450},
                                                        {seconds{15 * 60}, 680},
                                                        {seconds{3 * 3600}, 490}}};
    return shapes;
}

time_levels::time_levels(std::span<const level_shape> shapes, std::size_t most_cells) : most_cells_(most_cells)
{
    for (const auto& shape : shapes) {
        level made{shape.width, {}};
        made.ring.resize(shape.buckets);
        levels_.push_back(std::move(made));
    }
}

void time_levels::add(wall_time at, series_id series, latency_bin bin)
{
    for (auto& rows : levels_) {
        const auto index = rows.index_of(at);
        if (index > rows.newest)
            rows.newest = index;
        if (index < rows.lowest())
            continue;
        auto& into = rows.ring[rows.slot_of(index)];
        if (into.index != index) {
            empty(rows, into);
            into.index = index;
        }
        if (into.counts.add(series, bin)) {
            ++rows.cells;
            ++cells_;
        }
    }
    while (cells_ > most_cells_)
        give_up_oldest();
}

void time_levels::empty(level& rows, bucket& gone)
{
    rows.cells -= gone.counts.cells().size();
    cells_ -= gone.counts.cells().size();
    gone.counts.clear();
}

/// Takes the oldest buckets of the largest level, down to the first one that gives something back.
void time_levels::give_up_oldest()
{
    auto& largest = *std::max_element(levels_.begin(), levels_.end(),
                                      [](const level& one, const level& other) { return one.cells < other.cells; });
    const auto before = cells_;
    // A bucket that has left the window keeps its cells until its slot is used again.
    for (auto& each : largest.ring)
        if (each.index >= 0 && each.index < largest.lowest())
            empty(largest, each);
    for (auto index = largest.lowest(); cells_ == before && index <= largest.newest; ++index) {
        auto& oldest = largest.ring[largest.slot_of(index)];
        if (oldest.index == index)
            empty(largest, oldest);
        largest.dropped_below = index + 1;
    }
}

std::size_t time_levels::level_for(wall_time from, wall_time to, std::size_t most_buckets) const
{
    for (std::size_t number = 0; number + 1 < levels_.size(); ++number) {
        const auto& rows = levels_[number];
        const auto first = rows.index_of(from);
        const auto span = static_cast<std::size_t>(std::max<std::int64_t>(0, rows.index_of(to) - first));
        if (first >= rows.lowest() && span <= most_buckets)
            return number;
    }
    return levels_.size() - 1;
}

wall_time time_levels::reaches_back_to(std::size_t level) const
{
    return levels_[level].begin_of(levels_[level].lowest());
}

} // namespace wxcourier::dashboard
