// SPDX-License-Identifier: Apache-2.0
#include "kafka/offset_commits.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace wxcourier::kafka {
namespace {

using engine::commit_result;

commit_result result_of(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return commit_result::committed;
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
        return commit_result::metadata_too_large;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return commit_result::rejected;
    default: // No coordinator, no connection, no permission, a timeout: Kafka may take it another time.
        return commit_result::failed;
    }
}

/// Errors that a coordinator gives a partition by itself; all others are the member's or the request's.
bool is_of_one_partition(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE ||
           error == RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE ||
           error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

void add_to(rd_kafka_topic_partition_list_t& list, const committed_position& position)
{
    auto* element = rd_kafka_topic_partition_list_add(&list, position.where.topic.c_str(), position.where.partition);
    element->offset = position.next_offset;
    if (!position.metadata.empty()) {
        element->metadata = std::malloc(position.metadata.size()); // The list frees it with free().
        if (element->metadata == nullptr) {
            throw std::bad_alloc();
        }
        std::memcpy(element->metadata, position.metadata.data(), position.metadata.size());
        element->metadata_size = position.metadata.size();
    }
}

} // namespace

bool offset_commits::start(rd_kafka_t* client, rd_kafka_queue_t* queue, std::uint64_t commit,
                           std::vector<std::optional<committed_position>> positions,
                           std::vector<commit_result>& refused)
{
    request all{commit, {}};
    pending started;
    for (std::size_t index = 0; index < positions.size(); ++index) {
        started.results.push_back(positions[index] ? commit_result::failed : commit_result::rejected);
        if (positions[index]) {
            all.indices.push_back(index);
        }
    }
    started.positions = std::move(positions);
    if (!all.indices.empty()) {
        send(client, queue, started, std::move(all));
    }
    if (started.requests == 0) {
        refused = std::move(started.results);
        return false;
    }
    commits_.emplace(commit, std::move(started));
    return true;
}

void offset_commits::send(rd_kafka_t* client, rd_kafka_queue_t* queue, pending& of, request sent)
{
    const partition_list_handle list(rd_kafka_topic_partition_list_new(static_cast<int>(sent.indices.size())));
    for (const std::size_t index : sent.indices) {
        add_to(*list, *of.positions[index]);
    }
    const std::uintptr_t number = ++last_request_;
    const auto error =
        rd_kafka_commit_queue(client, list.get(), queue, nullptr, reinterpret_cast<void*>(number)); // NOLINT
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_.write_error(error, std::string("commit: ") + rd_kafka_err2str(error));
        return;
    }
    ++of.requests;
    requests_.emplace(number, std::move(sent));
}

void offset_commits::on_event(rd_kafka_t* client, rd_kafka_queue_t* queue, rd_kafka_event_t* event)
{
    const auto answered = requests_.extract(reinterpret_cast<std::uintptr_t>(rd_kafka_event_opaque(event)));
    if (answered.empty()) {
        return;
    }
    const request& sent = answered.mapped();
    pending& commit = commits_.at(sent.commit);
    const auto error = rd_kafka_event_error(event);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_.write_error(error, std::string("commit: ") + rd_kafka_err2str(error));
    }
    --commit.requests;
    const bool in_parts = sent.indices.size() > 1 && is_of_one_partition(error);
    for (const std::size_t index : sent.indices) {
        if (in_parts) {
            send(client, queue, commit, {sent.commit, {index}});
        } else {
            commit.results[index] = result_of(error);
        }
    }
    if (commit.requests == 0) {
        finish(sent.commit);
    }
}

void offset_commits::finish(std::uint64_t commit)
{
    auto finished = commits_.extract(commit);
    on_answer_(commit, std::move(finished.mapped().results));
}

void offset_commits::give_up()
{
    requests_.clear();
    while (!commits_.empty()) {
        finish(commits_.begin()->first);
    }
}

} // namespace wxcourier::kafka
