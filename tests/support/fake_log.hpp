// SPDX-License-Identifier: Apache-2.0
/// @file
/// The jobs topic as a broker keeps it: records, and the group's commits. It outlives the couriers that read it.
#pragma once

#include "engine/ports.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::test {

/// What the group has committed for one partition.
struct stored_commit {
    std::int64_t next_offset = 0;
    std::string metadata;
};

struct fake_partition {
    std::vector<engine::inbound_record> records; ///< Ascending by offset; `assignment` is not set.
    std::optional<stored_commit> committed;
    std::int64_t next_offset = 0;
};

/// One topic, `push.jobs`.
struct fake_log {
    std::string topic = "push.jobs";
    std::map<std::int32_t, fake_partition> partitions;

    /// Appends a job; returns its offset.
    std::int64_t append(std::int32_t partition, std::optional<std::string> value, wall_time timestamp,
                        std::optional<std::string> key = std::nullopt, std::vector<engine::header> headers = {})
    {
        auto& to = partitions[partition];
        engine::inbound_record record;
        record.offset = to.next_offset++;
        record.timestamp = timestamp;
        record.key = std::move(key);
        record.value = std::move(value);
        record.headers = std::move(headers);
        to.records.push_back(std::move(record));
        return to.records.back().offset;
    }
};

} // namespace wxcourier::test
