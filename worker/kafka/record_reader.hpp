// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads topics as they are, as a member of no group: for `tail`, `replay`, the demo and whatever keeps its state in a
/// compacted topic.
#pragma once

#include "common/time.hpp"
#include "engine/ports.hpp"
#include "kafka/background_call.hpp"
#include "kafka/client_log.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/event_queue.hpp"
#include "kafka/handles.hpp"
#include "kafka/partition_positions.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wxcourier::kafka {

/// A record and where it stands.
struct read_record {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    wall_time timestamp{};
    std::optional<std::string> key;
    std::optional<std::string> value; ///< Empty: a tombstone.
    std::vector<engine::header> headers;
};

struct from_beginning {};
struct from_end {}; ///< What is written after `open` has completed.
/// The newest that many offsets of each partition, where there are more: for topics of which only the recent counts.
struct from_last {
    std::int64_t offsets = 0;
};
/// Where to begin: also with the first record of that time or later.
using read_start = std::variant<from_beginning, from_end, from_last, wall_time>;

/// Where a reader stands in a partition.
struct read_position {
    std::int64_t start = 0; ///< Where it began.
    std::int64_t next = 0;  ///< What it hands out next.
    std::int64_t end = 0;   ///< The offset after the last record there was at `open`.
    bool reached = false;   ///< All of them have been handed out.
};

/// What a look at the brokers tells of a reader.
struct reading_state {
    std::string error;       ///< Empty: they answered.
    std::int64_t behind = 0; ///< Records that are still to be handed out.
};

/// Reads every partition that its topics have when it opens, and those that `look` finds later. One loop, one thread,
/// one `next` at a time.
class record_reader {
public:
    static constexpr milliseconds soon{100};

    /// Throws configuration_error.
    /// @param fetch_wait  for so long a broker may hold a request that finds nothing (fetch.wait.max.ms). It delays no
    ///                    record, only the news that the end is reached; short ones are what an idle reader costs.
    record_reader(asio::any_io_executor loop, const client_settings& settings, std::vector<std::string> topics,
                  read_start start, milliseconds fetch_wait = soon);
    record_reader(const record_reader&) = delete;
    record_reader& operator=(const record_reader&) = delete;
    /// Never blocks.
    ~record_reader();

    /// Finds the partitions and where to begin, and begins. Gives what went wrong, such as a topic that is missing;
    /// empty: nothing. After an error it may be tried again.
    asio::awaitable<std::string> open(steady_time deadline);

    /// The next record, in order within its partition. Empty: none by the deadline.
    asio::awaitable<std::optional<read_record>> next(steady_time deadline);
    /// The next record, if one has been fetched already.
    std::optional<read_record> poll();

    /// Whether everything that stood in the topics when `open` completed has been handed out.
    [[nodiscard]] bool at_end() const;
    /// How many partitions that topic had at `open`.
    [[nodiscard]] std::size_t partitions_of(const std::string& topic) const;

    /// Each partition that is read.
    [[nodiscard]] const std::map<topic_partition, read_position>& positions() const noexcept { return partitions_; }
    /// Asks the brokers how far the topics go now, and begins with partitions that are new, at their first record.
    /// After `open` only; one at a time.
    asio::awaitable<reading_state> look(steady_time deadline);

    /// Destroys the client. False: not by the deadline, and left to a thread of its own.
    asio::awaitable<bool> close(steady_time deadline);

private:
    struct plan {
        std::map<topic_partition, read_position> partitions;
        std::string error;
    };

    static void find_partitions(rd_kafka_t* client, const std::string& topic, int limit_ms, plan& result);
    static void find_positions(rd_kafka_t* client, read_start start, steady_time deadline, plan& result);
    asio::awaitable<std::shared_ptr<plan>> find(read_start start, steady_time deadline);
    void on_event(event_handle event);
    void on_error(rd_kafka_event_t* event);
    std::string begin(const topic_partition& where, read_position& partition);

    asio::any_io_executor loop_;
    std::vector<std::string> topics_;
    read_start start_;
    client_handle client_;
    client_log log_{"reader"};
    std::map<topic_partition, read_position> partitions_;
    std::map<std::string, topic_handle> handles_;
    queue_handle records_;
    background_calls background_;
    wake_signal changed_;
    std::unique_ptr<event_queue> events_;
};

} // namespace wxcourier::kafka
