// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where a group stands in its partitions and what the partitions hold: the lookups that precede an assignment. They
/// block, so they run in a background_call.
#pragma once

#include "kafka/handles.hpp"

#include <atomic>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::kafka {

struct topic_partition {
    std::string topic;
    std::int32_t partition = 0;

    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};

/// First offset held and the one the next record gets.
struct watermarks {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

struct partition_position {
    topic_partition where;
    std::optional<std::int64_t> committed; ///< Empty: the group has no commit there.
    std::string metadata;                  ///< What stands with the commit.
    std::optional<watermarks> held;        ///< Empty: the partition's leader did not say.
};

/// Whether a commit lies beyond the end of its log: the topic was made anew, or restored from an older state.
bool lies_beyond_end(const partition_position& position);

/// Asks the group's coordinator for the commits, again and again until it answers, and the leaders for the watermarks,
/// within 10 s for all of them. What seems to lie beyond an end is asked three times, a second apart: a leader that was
/// just elected may be behind. Blocks. Returns early, with less, once `cancelled`.
std::vector<partition_position> look_up_positions(rd_kafka_t* client, const std::vector<topic_partition>& partitions,
                                                  const std::atomic<bool>& cancelled);

/// Asks a partition's leader, again and again until it answers or `cancelled`, and three times where `position` seems
/// to lie beyond the end. Blocks.
std::optional<watermarks> look_up_watermarks(rd_kafka_t* client, const topic_partition& where, std::int64_t position,
                                             const std::atomic<bool>& cancelled);

} // namespace wxcourier::kafka
