// SPDX-License-Identifier: Apache-2.0
#include "domain/index_set.hpp"

#include <algorithm>
#include <numeric>

namespace wxcourier::domain {
namespace {

/// The first range that ends at or behind `index`.
auto range_at(auto& ranges, std::int64_t index)
{
    return std::lower_bound(ranges.begin(), ranges.end(), index,
                            [](const index_range& range, std::int64_t wanted) { return range.last < wanted; });
}

} // namespace

void index_set::insert(std::int64_t index)
{
    auto next = range_at(ranges_, index);
    if (next != ranges_.end() && next->first <= index)
        return;
    const bool joins_previous = next != ranges_.begin() && std::prev(next)->last + 1 == index;
    const bool joins_next = next != ranges_.end() && next->first == index + 1;
    if (joins_previous && joins_next) {
        std::prev(next)->last = next->last;
        ranges_.erase(next);
    } else if (joins_previous) {
        std::prev(next)->last = index;
    } else if (joins_next) {
        next->first = index;
    } else {
        ranges_.insert(next, {index, index});
    }
}

bool index_set::contains(std::int64_t index) const noexcept
{
    const auto found = range_at(ranges_, index);
    return found != ranges_.end() && found->first <= index;
}

std::int64_t index_set::size() const noexcept
{
    return std::accumulate(
        ranges_.begin(), ranges_.end(), std::int64_t{0},
        [](std::int64_t sum, const index_range& range) { return sum + range.last - range.first + 1; });
}

std::int64_t index_set::first_missing() const noexcept
{
    return ranges_.empty() || ranges_.front().first != 0 ? 0 : ranges_.front().last + 1;
}

} // namespace wxcourier::domain
