// SPDX-License-Identifier: Apache-2.0
#include "domain/offset_tracker.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wxcourier::domain {

offset_tracker::offset_tracker(std::optional<std::int64_t> committed, commit_progress progress)
    : next_(committed), restored_(std::move(progress.finished)), restored_partials_(std::move(progress.further)),
      restored_moving_(std::move(progress.moving))
{
    if (progress.partial)
        restored_partials_.insert(restored_partials_.begin(), std::move(*progress.partial));
}

bool offset_tracker::begin(std::int64_t offset)
{
    if (next_ && offset < *next_)
        throw std::logic_error("offsets of a partition must begin in ascending order");
    next_ = offset + 1;
    while (restored_passed_ < restored_.size() && restored_[restored_passed_].last < offset)
        ++restored_passed_;
    if (restored_passed_ < restored_.size() && restored_[restored_passed_].first <= offset)
        return false;
    unfinished_.push_back(offset);
    return true;
}

void offset_tracker::finish(std::int64_t offset)
{
    const auto found = std::lower_bound(unfinished_.begin(), unfinished_.end(), offset);
    if (found == unfinished_.end() || *found != offset)
        throw std::logic_error("an offset finishes once, after it began");
    unfinished_.erase(found); // a deque moves the shorter side, and most offsets finish near the front
}

std::optional<std::int64_t> offset_tracker::committable() const noexcept
{
    return unfinished_.empty() ? next_ : unfinished_.front();
}

commit_progress offset_tracker::progress() const
{
    commit_progress result;
    const auto add = [&result](std::int64_t first, std::int64_t last) {
        if (first > last)
            return;
        if (!result.finished.empty() && result.finished.back().last + 1 >= first)
            result.finished.back().last = std::max(result.finished.back().last, last);
        else
            result.finished.push_back({first, last});
    };
    for (std::size_t i = 0; i < unfinished_.size(); ++i)
        add(unfinished_[i] + 1, (i + 1 < unfinished_.size() ? unfinished_[i + 1] : *next_) - 1);
    for (std::size_t i = restored_passed_; i < restored_.size(); ++i)
        add(std::max(restored_[i].first, *next_), restored_[i].last);
    for (const auto& each : restored_partials_) {
        const bool read_again = next_ && each.offset < *next_;
        if (read_again && !std::binary_search(unfinished_.begin(), unfinished_.end(), each.offset))
            continue;
        if (result.partial)
            result.further.push_back(each);
        else
            result.partial = each;
    }
    for (const auto& each : restored_moving_)
        if (!next_ || each.last >= *next_)
            result.moving.push_back({std::max(each.first, next_.value_or(each.first)), each.last});
    return result;
}

const partial_job* offset_tracker::restored_partial(std::int64_t offset) const noexcept
{
    const auto found = std::find_if(restored_partials_.begin(), restored_partials_.end(),
                                    [offset](const partial_job& each) { return each.offset == offset; });
    return found == restored_partials_.end() ? nullptr : &*found;
}

bool offset_tracker::was_moving(std::int64_t offset) const noexcept
{
    return std::any_of(restored_moving_.begin(), restored_moving_.end(),
                       [offset](const index_range& each) { return each.first <= offset && offset <= each.last; });
}

std::optional<std::int64_t> offset_tracker::oldest_unfinished() const noexcept
{
    if (unfinished_.empty())
        return std::nullopt;
    return unfinished_.front();
}

} // namespace wxcourier::domain
