// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a commit says besides its offset: the jobs finished beyond it, how far jobs with recipients have come, and
/// which jobs were about to move to a delayed topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// `first` to `last`, both included.
struct index_range {
    std::int64_t first = 0;
    std::int64_t last = 0;

    friend bool operator==(const index_range&, const index_range&) = default;
};

/// A job with recipients that is under way: which of its messages have finished.
struct partial_job {
    std::int64_t offset = 0;
    std::vector<index_range> finished{}; ///< Recipient indices; ascending, disjoint, not adjacent.
    /// Those of them that failed: the dead letter names them all, also after a crash …
    std::vector<index_range> failed{};
    std::string_view failed_for{}; ///< … with their most frequent reason (reasons.hpp). Empty: not known.

    friend bool operator==(const partial_job&, const partial_job&) = default;
};

/// Progress beyond a committed offset. Travels in the commit's metadata (codec/offset_metadata_codec.hpp), so that a
/// restart, crash or rebalance does not send it again.
struct commit_progress {
    std::vector<index_range> finished{}; ///< Offsets above the committed one; ascending, disjoint, not adjacent.
    std::optional<partial_job> partial{};
    std::vector<partial_job> further{}; ///< More of them, where several are under way; only behind `partial`.
    /// Offsets whose jobs may stand on a delayed topic already: whoever reads them again moves them again, so that both
    /// copies meet. Unfinished; ascending, disjoint, not adjacent.
    std::vector<index_range> moving{};

    friend bool operator==(const commit_progress&, const commit_progress&) = default;
};

} // namespace wxcourier::domain
