// SPDX-License-Identifier: Apache-2.0
#include "kafka/mock_cluster.hpp"

#include "kafka/client_config.hpp"

namespace wxcourier::kafka {
namespace {

/// A producer that connects nowhere.
client_handle open_host()
{
    conf_handle conf(rd_kafka_conf_new());
    rd_kafka_conf_set_log_cb(conf.get(), nullptr);
    return open_client(RD_KAFKA_PRODUCER, std::move(conf));
}

} // namespace

mock_cluster::mock_cluster(int brokers) : host_(open_host()), cluster_(rd_kafka_mock_cluster_new(host_.get(), brokers))
{
    if (cluster_ == nullptr) {
        throw configuration_error("librdkafka cannot start its mock cluster");
    }
}

mock_cluster::~mock_cluster() = default;

std::string mock_cluster::bootstrap_servers() const
{
    return rd_kafka_mock_cluster_bootstraps(cluster_.get());
}

void mock_cluster::create_topic(const std::string& topic, int partitions)
{
    rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, 1);
}

void mock_cluster::set_topic_error(const std::string& topic, rd_kafka_resp_err_t error)
{
    rd_kafka_mock_topic_set_error(cluster_.get(), topic.c_str(), error);
}

void mock_cluster::push_errors(api_key request, const std::vector<rd_kafka_resp_err_t>& errors)
{
    rd_kafka_mock_push_request_errors_array(cluster_.get(), static_cast<std::int16_t>(request), errors.size(),
                                            errors.data());
}

void mock_cluster::push_delay(int broker, api_key request, int delay_ms, rd_kafka_resp_err_t error)
{
    rd_kafka_mock_broker_push_request_error_rtts(cluster_.get(), broker, static_cast<std::int16_t>(request), 1, error,
                                                 delay_ms);
}

void mock_cluster::clear_errors(api_key request)
{
    rd_kafka_mock_clear_request_errors(cluster_.get(), static_cast<std::int16_t>(request));
}

void mock_cluster::set_down(int broker)
{
    rd_kafka_mock_broker_set_down(cluster_.get(), broker);
}

void mock_cluster::set_up(int broker)
{
    rd_kafka_mock_broker_set_up(cluster_.get(), broker);
}

void mock_cluster::set_round_trip(int milliseconds, int broker)
{
    rd_kafka_mock_broker_set_rtt(cluster_.get(), broker, milliseconds);
}

void mock_cluster::set_group_coordinator(const std::string& group, int broker)
{
    rd_kafka_mock_coordinator_set(cluster_.get(), "group", group.c_str(), broker);
}

void mock_cluster::set_leader(const std::string& topic, std::int32_t partition, int broker)
{
    rd_kafka_mock_partition_set_leader(cluster_.get(), topic.c_str(), partition, broker);
}

} // namespace wxcourier::kafka
