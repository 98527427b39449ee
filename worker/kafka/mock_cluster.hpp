// SPDX-License-Identifier: Apache-2.0
/// @file
/// librdkafka's built-in stand-in for a Kafka cluster, on loopback: for `wxcourier demo` and the component tests. It
/// shows what this program does, not what Kafka does: no isolation, no ACLs, 5 MiB of each partition kept.
#pragma once

#include "kafka/handles.hpp"

#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::kafka {

/// Kafka's numbers for the requests whose answers tests change.
enum class api_key : std::int16_t {
    produce = 0,
    fetch = 1,
    list_offsets = 2,
    metadata = 3,
    offset_commit = 8,
    offset_fetch = 9,
    find_coordinator = 10,
    join_group = 11,
    heartbeat = 12,
    leave_group = 13,
    sync_group = 14,
    init_producer_id = 22,
};

/// A cluster that lives as long as this object. Thread-safe, as librdkafka's is; calls wait for the cluster's thread.
class mock_cluster {
public:
    /// Broker ids count from 1. Throws configuration_error.
    explicit mock_cluster(int brokers = 1);
    mock_cluster(const mock_cluster&) = delete;
    mock_cluster& operator=(const mock_cluster&) = delete;
    ~mock_cluster();

    /// What clients connect to.
    [[nodiscard]] std::string bootstrap_servers() const;
    void create_topic(const std::string& topic, int partitions = 1);
    /// What metadata says of the topic from now on; RD_KAFKA_RESP_ERR_NO_ERROR ends it.
    void set_topic_error(const std::string& topic, rd_kafka_resp_err_t error);
    /// The next requests of this kind fail in this way, one after another; RD_KAFKA_RESP_ERR__TRANSPORT disconnects.
    void push_errors(api_key request, const std::vector<rd_kafka_resp_err_t>& errors);
    /// The next request of this kind to the broker is answered after `delay_ms`, with `error`.
    void push_delay(int broker, api_key request, int delay_ms, rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR);
    void clear_errors(api_key request);
    /// -1: every broker.
    void set_down(int broker = -1);
    void set_up(int broker = -1);
    void set_round_trip(int milliseconds, int broker = -1);
    void set_group_coordinator(const std::string& group, int broker);
    void set_leader(const std::string& topic, std::int32_t partition, int broker);

private:
    client_handle host_; ///< The client whose threads the cluster runs on.
    std::unique_ptr<rd_kafka_mock_cluster_t, handle_deleter<rd_kafka_mock_cluster_destroy>> cluster_;
};

} // namespace wxcourier::kafka
