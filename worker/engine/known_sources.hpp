// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which jobs that came over a delayed topic are in memory or ended a short while ago: a crash can leave two copies of
/// one, and the second must not be sent.
#pragma once

#include "domain/push_job.hpp"
#include "engine/ports.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace wxcourier::engine {

/// Copies of one job go to the same partition of each delayed topic, so that one process sees both. Remembers every job
/// in memory, and the newest that have ended, up to a number. Not thread-safe.
class known_sources {
public:
    /// @param most_ended  how many that have ended are remembered: 100 bytes each, about.
    explicit known_sources(std::size_t most_ended = 65'536) : most_ended_(most_ended) {}

    /// A job was read. False: another copy of it is in memory, or has ended.
    [[nodiscard]] bool begin(const domain::source_position& source, assignment_id assignment);
    /// All is said and done about it.
    void on_ended(const domain::source_position& source, assignment_id assignment);
    /// It waits on a delayed topic again.
    void on_moved(const domain::source_position& source, assignment_id assignment);
    /// What was read in these assignments is read again, here or elsewhere.
    void let_go(const std::vector<assignment_id>& ids);

private:
    struct key {
        std::uint32_t topic; ///< Of `topics_`.
        std::int32_t partition;
        std::int64_t offset;
        friend bool operator==(const key&, const key&) = default;
    };
    struct hash {
        std::size_t operator()(const key& of) const noexcept;
    };

    key key_of(const domain::source_position& source);
    bool forget(const key& what, assignment_id assignment);

    std::size_t most_ended_;
    std::map<std::string, std::uint32_t> topics_;
    std::unordered_map<key, assignment_id, hash> in_memory_;
    std::unordered_set<key, hash> ended_;
    std::deque<key> ended_in_order_;
};

} // namespace wxcourier::engine
