// SPDX-License-Identifier: Apache-2.0
/// @file
/// Commits on their way to the coordinator, and what became of each partition of theirs.
#pragma once

#include "engine/ports.hpp"
#include "kafka/client_log.hpp"
#include "kafka/handles.hpp"
#include "kafka/partition_positions.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::kafka {

/// One partition of a commit.
struct committed_position {
    topic_partition where;
    std::int64_t next_offset = 0;
    std::string metadata;
};

/// Sends commits and gathers their answers. librdkafka gives every partition of a request the error of the one that
/// failed; where the error is such a partition's own, the request is sent again in parts, each of them about one.
class offset_commits {
public:
    /// Gets each commit's results, in the order of its partitions. Never called from inside `start`.
    using answer = std::function<void(std::uint64_t commit, std::vector<engine::commit_result> results)>;

    offset_commits(client_log& log, answer on_answer) : log_(log), on_answer_(std::move(on_answer)) {}

    /// Sends a commit under the number `commit`; empty entries are not sent, and rejected. Answers arrive as events on
    /// `queue`. False: nothing is under way, and what `refused` then holds are the results.
    bool start(rd_kafka_t* client, rd_kafka_queue_t* queue, std::uint64_t commit,
               std::vector<std::optional<committed_position>> positions, std::vector<engine::commit_result>& refused);

    /// An RD_KAFKA_EVENT_OFFSET_COMMIT.
    void on_event(rd_kafka_t* client, rd_kafka_queue_t* queue, rd_kafka_event_t* event);

    /// Answers what is under way: nobody will.
    void give_up();

private:
    struct pending {
        std::vector<std::optional<committed_position>> positions;
        std::vector<engine::commit_result> results;
        std::size_t requests = 0; ///< Not answered yet.
    };
    /// What librdkafka was sent in one go: some partitions of a commit.
    struct request {
        std::uint64_t commit = 0;
        std::vector<std::size_t> indices;
    };

    void send(rd_kafka_t* client, rd_kafka_queue_t* queue, pending& of, request sent);
    void finish(std::uint64_t commit);

    client_log& log_;
    answer on_answer_;
    std::map<std::uint64_t, pending> commits_;
    std::map<std::uintptr_t, request> requests_;
    std::uintptr_t last_request_ = 0;
};

} // namespace wxcourier::kafka
