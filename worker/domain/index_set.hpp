// SPDX-License-Identifier: Apache-2.0
/// @file
/// A set of indices kept as ranges: which recipients of a job have finished, and which have failed.
#pragma once

#include "domain/commit_progress.hpp"

#include <cstdint>
#include <vector>

namespace wxcourier::domain {

/// Cheap while indices come roughly in order, which is how messages finish. Not thread-safe.
class index_set {
public:
    index_set() = default;
    /// @param ranges  ascending, disjoint, not adjacent.
    explicit index_set(std::vector<index_range> ranges) : ranges_(std::move(ranges)) {}

    void insert(std::int64_t index);
    [[nodiscard]] bool contains(std::int64_t index) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
    [[nodiscard]] std::int64_t size() const noexcept;
    /// The lowest index from 0 on that is not in the set.
    [[nodiscard]] std::int64_t first_missing() const noexcept;
    /// Ascending, disjoint, not adjacent.
    [[nodiscard]] const std::vector<index_range>& ranges() const noexcept { return ranges_; }

private:
    std::vector<index_range> ranges_;
};

} // namespace wxcourier::domain
