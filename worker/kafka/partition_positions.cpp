// SPDX-License-Identifier: Apache-2.0
#include "kafka/partition_positions.hpp"

#include "common/log.hpp"
#include "common/time.hpp"
#include "kafka/client_config.hpp"
#include "kafka/client_log.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace wxcourier::kafka {
namespace {

constexpr milliseconds first_call_limit{1'000};
constexpr milliseconds longest_call_limit{5'000}; // A cancelled call ends after this at the latest.
constexpr milliseconds retry_pause{250};
constexpr milliseconds watermark_budget{10'000};
constexpr milliseconds recheck_pause{1'000};
constexpr int checks_beyond_end = 3;

/// A pause between two attempts, cut short by cancellation. This is not the loop's thread.
void pause(const std::atomic<bool>& cancelled, milliseconds length = retry_pause)
{
    constexpr milliseconds slice{10};
    for (auto left = length; left > milliseconds{0} && !cancelled; left -= slice) {
        std::this_thread::sleep_for(slice);
    }
}

rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t& list)
{
    for (int index = 0; index < list.cnt; ++index) {
        if (list.elems[index].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return list.elems[index].err;
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

partition_list_handle fetch_committed(rd_kafka_t* client, const std::vector<topic_partition>& partitions,
                                      const std::atomic<bool>& cancelled)
{
    log_throttle throttle;
    for (auto limit = first_call_limit; !cancelled; limit = std::min(limit * 2, longest_call_limit)) {
        partition_list_handle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
        for (const topic_partition& each : partitions) {
            rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
        }
        auto error = rd_kafka_committed(client, list.get(), static_cast<int>(limit.count()));
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            error = first_error(*list);
        }
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            return list;
        }
        if (throttle.admit("committed", steady_clock::now()).pass) {
            log::warn("kafka", "cannot read the group's committed offsets yet, trying again",
                      {{"error", describe(error)}});
        }
        pause(cancelled);
    }
    return nullptr;
}

std::optional<watermarks> query(rd_kafka_t* client, const topic_partition& where, milliseconds limit,
                                rd_kafka_resp_err_t& error)
{
    watermarks held;
    error = rd_kafka_query_watermark_offsets(client, where.topic.c_str(), where.partition, &held.low, &held.high,
                                             static_cast<int>(limit.count()));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::nullopt;
    }
    return held;
}

/// One try for each partition, then again for those whose leader was away, while the budget lasts.
void look_up_watermarks(rd_kafka_t* client, std::vector<partition_position>& positions,
                        const std::atomic<bool>& cancelled)
{
    const auto deadline = steady_clock::now() + watermark_budget;
    auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (bool complete = false; !complete && !cancelled && steady_clock::now() < deadline;) {
        complete = true;
        for (partition_position& position : positions) {
            if (!position.held && !cancelled) {
                position.held = query(client, position.where, first_call_limit, error);
                complete = complete && position.held;
            }
        }
        if (!complete) {
            pause(cancelled);
        }
    }
    for (const partition_position& position : positions) {
        if (!position.held && !cancelled) {
            log::warn(
                "kafka", "cannot tell what a partition holds; reading it all the same",
                {{"topic", position.where.topic}, {"partition", position.where.partition}, {"error", describe(error)}});
        }
    }
}

/// A new leader may say for a moment that its log ends before what was read from the old one.
void recheck_ends(rd_kafka_t* client, std::vector<partition_position>& positions, const std::atomic<bool>& cancelled)
{
    auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (partition_position& position : positions) {
        for (int check = 1; check < checks_beyond_end && lies_beyond_end(position) && !cancelled; ++check) {
            pause(cancelled, recheck_pause);
            if (const auto held = query(client, position.where, longest_call_limit, error)) {
                position.held = held;
            }
        }
    }
}

} // namespace

bool lies_beyond_end(const partition_position& position)
{
    return position.committed && position.held && *position.committed > position.held->high;
}

std::vector<partition_position> look_up_positions(rd_kafka_t* client, const std::vector<topic_partition>& partitions,
                                                  const std::atomic<bool>& cancelled)
{
    std::vector<partition_position> positions;
    const auto committed = fetch_committed(client, partitions, cancelled);
    if (committed == nullptr) {
        return positions;
    }
    for (int index = 0; index < committed->cnt; ++index) {
        const rd_kafka_topic_partition_t& found = committed->elems[index];
        partition_position position{{found.topic, found.partition}, std::nullopt, {}, std::nullopt};
        if (found.offset >= 0) {
            position.committed = found.offset;
            if (found.metadata_size > 0) {
                position.metadata.assign(static_cast<const char*>(found.metadata), found.metadata_size);
            }
        }
        positions.push_back(std::move(position));
    }
    look_up_watermarks(client, positions, cancelled);
    recheck_ends(client, positions, cancelled);
    return positions;
}

std::optional<watermarks> look_up_watermarks(rd_kafka_t* client, const topic_partition& where, std::int64_t position,
                                             const std::atomic<bool>& cancelled)
{
    auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::optional<watermarks> held;
    for (int answers = 0; answers < checks_beyond_end && !cancelled;) {
        if (const auto answer = query(client, where, longest_call_limit, error)) {
            held = answer;
            ++answers;
            if (position <= answer->high) {
                break;
            }
        }
        pause(cancelled, held ? recheck_pause : retry_pause);
    }
    return held;
}

} // namespace wxcourier::kafka
