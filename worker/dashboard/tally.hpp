// SPDX-License-Identifier: Apache-2.0
/// @file
/// Counts by series and latency: what the dashboard keeps of a stretch of time in place of its statuses.
#pragma once

#include "dashboard/latency_scale.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wxcourier::dashboard {

/// Number of a series in `series_table`.
using series_id = std::uint16_t;

/// Sparse counters, sorted by series and then by latency.
template <typename Count>
class tally {
public:
    struct cell {
        std::uint32_t key = 0;
        Count count = 0;

        [[nodiscard]] series_id series() const noexcept { return static_cast<series_id>(key >> 10U); }
        [[nodiscard]] latency_bin bin() const noexcept { return static_cast<latency_bin>(key & 0x3FFU); }
    };

    /// Counts one. True: that took a new cell.
    bool add(series_id series, latency_bin bin)
    {
        const auto key = (static_cast<std::uint32_t>(series) << 10U) | bin;
        const auto at = std::lower_bound(cells_.begin(), cells_.end(), key,
                                         [](const cell& each, std::uint32_t wanted) { return each.key < wanted; });
        if (at != cells_.end() && at->key == key) {
            ++at->count;
            return false;
        }
        const auto index = at - cells_.begin();
        if (cells_.size() == cells_.capacity()) // a quarter more: doubling would waste what the bound is for
            cells_.reserve(cells_.size() + std::max<std::size_t>(4, cells_.size() / 4));
        cells_.insert(cells_.begin() + index, {key, 1});
        return true;
    }
    void clear() { cells_ = {}; }
    [[nodiscard]] const std::vector<cell>& cells() const noexcept { return cells_; }

private:
    std::vector<cell> cells_;
};

} // namespace wxcourier::dashboard
