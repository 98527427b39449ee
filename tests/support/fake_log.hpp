// SPDX-License-Identifier: Apache-2.0
/// @file
/// The jobs topic and the delayed topics as a broker keeps them: records, and the group's commits. They outlive the
/// couriers that read them.
#pragma once

#include "engine/ports.hpp"

#include <cstdint>
#include <functional>
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

/// The topic `push.jobs`, and others.
struct fake_log {
    std::string topic = "push.jobs";
    std::map<std::int32_t, fake_partition> partitions;
    std::map<std::string, std::map<std::int32_t, fake_partition>> others; ///< The delayed topics, by name.
    std::map<const void*, std::function<void()>> readers; ///< Told when a record has come to one of those.

    fake_partition& at(const std::string& of, std::int32_t partition)
    {
        return of == topic ? partitions[partition] : others[of][partition];
    }

    /// A worker wrote to another topic.
    void append_to(const std::string& of, std::int32_t partition, const engine::outbound_record& record,
                   wall_time timestamp)
    {
        add(others[of][partition], record.value, timestamp, record.key, record.headers);
        for (const auto& [reader, tell] : readers)
            tell();
    }

    /// Appends a job; returns its offset.
    std::int64_t append(std::int32_t partition, std::optional<std::string> value, wall_time timestamp,
                        std::optional<std::string> key = std::nullopt, std::vector<engine::header> headers = {})
    {
        return add(partitions[partition], std::move(value), timestamp, std::move(key), std::move(headers));
    }

private:
    static std::int64_t add(fake_partition& to, std::optional<std::string> value, wall_time timestamp,
                            std::optional<std::string> key, std::vector<engine::header> headers)
    {
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
