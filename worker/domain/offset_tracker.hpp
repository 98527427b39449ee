// SPDX-License-Identifier: Apache-2.0
/// @file
/// Out-of-order completion over ordered offsets: which records of one assignment are under way, and how far a commit
/// may go.
#pragma once

#include "domain/commit_progress.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace wxcourier::domain {

/// Offsets of one assigned partition. Keeps the unfinished offsets only, so that its memory is bounded by what is under
/// way: everything else between the lowest unfinished offset and the next one is finished, or was never a record
/// (compaction and transaction markers leave gaps, which need no action). Not thread-safe.
class offset_tracker {
public:
    /// @param committed  the group's commit; empty: none, the first offset seen starts the count.
    /// @param progress   what stood in the commit's metadata.
    explicit offset_tracker(std::optional<std::int64_t> committed, commit_progress progress = {});

    /// Takes note of a record that was read. Offsets begin in ascending order (std::logic_error otherwise).
    /// False: it had finished before this assignment began, and must not be worked on again.
    [[nodiscard]] bool begin(std::int64_t offset);

    /// Each begun offset finishes exactly once, in any order (std::logic_error otherwise).
    void finish(std::int64_t offset);

    /// Every record below it is finished. Empty: nothing is known yet.
    [[nodiscard]] std::optional<std::int64_t> committable() const noexcept;

    /// What has finished above `committable()`, the rest of what an earlier assignment had finished included: how far
    /// it had come with jobs that are not finished yet as well, of which whoever has them in memory knows better.
    [[nodiscard]] commit_progress progress() const;

    /// How far an earlier assignment had come with a job with recipients, if this is that job.
    [[nodiscard]] const partial_job* restored_partial(std::int64_t offset) const noexcept;

    /// Whether an earlier assignment was about to move this job to a delayed topic, where it may stand already.
    [[nodiscard]] bool was_moving(std::int64_t offset) const noexcept;

    [[nodiscard]] std::size_t unfinished() const noexcept { return unfinished_.size(); }
    [[nodiscard]] std::optional<std::int64_t> oldest_unfinished() const noexcept;
    /// From the oldest unfinished offset to the highest one seen: what the metadata of a commit has to tell about.
    [[nodiscard]] std::int64_t span() const noexcept { return unfinished_.empty() ? 0 : *next_ - unfinished_.front(); }

private:
    std::deque<std::int64_t> unfinished_;        ///< Ascending.
    std::optional<std::int64_t> next_;           ///< One above the highest offset seen, or the commit.
    std::vector<index_range> restored_;          ///< Finished earlier and not yet passed by `next_`; ascending.
    std::size_t restored_passed_ = 0;            ///< How many of `restored_` lie wholly below `next_`.
    std::vector<partial_job> restored_partials_; ///< Ascending.
    std::vector<index_range> restored_moving_;   ///< Ascending.
};

} // namespace wxcourier::domain
