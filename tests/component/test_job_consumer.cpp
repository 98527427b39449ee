// SPDX-License-Identifier: Apache-2.0
#include "kafka_fixture.hpp"

#include <algorithm>

namespace wxcourier::kafka_test {
namespace {

using engine::commit_result;

class job_consumer_test : public kafka_test {};

TEST_F(job_consumer_test, hands_out_records_in_offset_order_with_everything_they_carry)
{
    cluster.create_topic("jobs");
    recording_publisher_listener published;
    kafka::record_producer producer(loop.get_executor(), {client(), {}});
    producer.start(published);
    producer.publish({"jobs", "key", "value", {{"x-a", "1"}, {"x-a", "2"}, {"none", std::nullopt}, {"empty", ""}}}, 1);
    producer.publish({"jobs", std::nullopt, std::nullopt, {}}, 2);
    producer.publish({"jobs", "", "", {}}, 3);
    ASSERT_TRUE(run(loop, producer.flush(steady_clock::now() + patience)));
    member reader(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 3; }));
    const auto& records = reader.listener.records;
    EXPECT_EQ(records[0].offset, 0);
    EXPECT_EQ(records[0].key, "key");
    EXPECT_EQ(records[0].value, "value");
    ASSERT_EQ(records[0].headers.size(), 4U);
    EXPECT_EQ(records[0].headers[1].name, "x-a");
    EXPECT_EQ(records[0].headers[1].value, "2");
    EXPECT_EQ(records[0].headers[2].value, std::nullopt);
    EXPECT_EQ(records[0].headers[3].value, "");
    EXPECT_GT(records[0].timestamp, wall_time(std::chrono::hours(24 * 365 * 50)));
    EXPECT_EQ(records[1].offset, 1);
    EXPECT_EQ(records[1].key, std::nullopt);
    EXPECT_EQ(records[1].value, std::nullopt) << "a tombstone";
    EXPECT_EQ(records[2].key, "");
    EXPECT_EQ(records[2].value, "") << "an empty value is no tombstone";
    EXPECT_TRUE(run(loop, producer.close(steady_clock::now() + patience)));
}

TEST_F(job_consumer_test, a_commit_and_its_metadata_come_back_with_the_next_assignment)
{
    cluster.create_topic("jobs", 2);
    produce("jobs", 20);
    {
        member first(loop, group("jobs"));
        ASSERT_TRUE(first.holds(2));
        EXPECT_EQ(first.listener.assignments.begin()->second.committed, std::nullopt);
        const auto id = first.listener.holding(1);
        EXPECT_EQ(first.commit({{id, 5, "AQID/+=="}}), std::vector{commit_result::committed});
        EXPECT_TRUE(first.close(patience));
    }
    member second(loop, group("jobs"));
    ASSERT_TRUE(second.holds(2));
    const auto& assigned = second.listener.assignments.at(second.listener.holding(1));
    EXPECT_EQ(assigned.committed, 5);
    EXPECT_EQ(assigned.commit_metadata, "AQID/+==");
    const auto of_partition = [&] {
        return std::find_if(second.listener.records.begin(), second.listener.records.end(),
                            [&](const auto& record) { return record.assignment == assigned.id; });
    };
    ASSERT_TRUE(run_until(loop, [&] { return of_partition() != second.listener.records.end(); }));
    EXPECT_EQ(of_partition()->offset, 5);
}

TEST_F(job_consumer_test, a_partition_that_is_not_polled_is_only_fetched_to_its_bound_and_loses_nothing)
{
    cluster.create_topic("jobs", 2);
    auto settings = group("jobs");
    settings.client.properties.emplace("queued.min.messages", secret("10"));
    member reader(loop, settings);
    reader.listener.polls = false;
    ASSERT_TRUE(reader.holds(2));
    produce("jobs", 400);
    ASSERT_TRUE(run_until(loop, [&] { return reader.consumer.stats().fetched_records >= 20; }));
    EXPECT_TRUE(reader.listener.records.empty());
    const auto lag = reader.consumer.lag();
    EXPECT_EQ(lag.size(), 2U);
    for (const auto& [where, records] : lag) {
        EXPECT_GE(records, 10) << "as far as it was fetched, of which nothing was handed out; " << where.partition;
    }
    // Room again: the engine polls by itself, nobody tells it to.
    ASSERT_TRUE(run_until(loop, [&] {
        while (reader.listener.read_one()) {
        }
        return reader.listener.records.size() == 400;
    }));
    for (const auto& [where, records] : reader.consumer.lag()) {
        EXPECT_EQ(records, 0) << "partition " << where.partition;
    }
    std::map<engine::assignment_id, std::int64_t> next;
    for (const auto& record : reader.listener.records) {
        EXPECT_EQ(record.offset, next[record.assignment]++);
    }
}

TEST_F(job_consumer_test, records_wake_the_engine_again_after_it_had_polled_to_the_end)
{
    cluster.create_topic("jobs");
    member reader(loop, group("jobs"));
    ASSERT_TRUE(reader.holds(1));
    for (std::size_t round = 1; round <= 20; ++round) {
        produce("jobs", 1);
        ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == round; }));
    }
}

TEST_F(job_consumer_test, the_brokers_word_on_a_commit_reaches_the_engine)
{
    cluster.create_topic("jobs");
    member reader(loop, group("jobs"));
    ASSERT_TRUE(reader.holds(1));
    const auto id = reader.listener.holding(0);
    cluster.push_errors(kafka::api_key::offset_commit, {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE});
    EXPECT_EQ(reader.commit({{id, 1, std::string(5000, 'x')}}), std::vector{commit_result::metadata_too_large});
    EXPECT_EQ(reader.commit({{id, 1, ""}}), std::vector{commit_result::committed});
    cluster.push_errors(kafka::api_key::offset_commit, {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS});
    EXPECT_EQ(reader.commit({{id, 2, ""}}), std::vector{commit_result::rejected});
    cluster.push_errors(kafka::api_key::offset_commit, {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
    EXPECT_EQ(reader.commit({{id, 2, ""}}), std::vector{commit_result::failed});
    const auto stats = reader.consumer.stats();
    EXPECT_EQ(stats.commits_committed, 1U);
    EXPECT_EQ(stats.commits_metadata_too_large, 1U);
    EXPECT_EQ(stats.commits_rejected, 1U);
    EXPECT_EQ(stats.commits_failed, 1U);
}

TEST_F(job_consumer_test, it_goes_on_where_it_was_when_the_broker_comes_back)
{
    cluster.create_topic("jobs");
    produce("jobs", 5);
    member reader(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 5; }));
    const auto id = reader.listener.holding(0);
    cluster.set_down();
    const auto number = reader.consumer.commit({{id, 5, "m"}});
    EXPECT_FALSE(run_until(
        loop, [&] { return reader.listener.commits.contains(number); }, 500ms));
    cluster.set_up();
    produce("jobs", 5);
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() >= 10; }));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.commits.contains(number); }));
    EXPECT_EQ(reader.listener.records.back().offset, 9);
    EXPECT_TRUE(reader.listener.failures.empty());
}

TEST_F(job_consumer_test, a_commit_beyond_the_end_stops_that_partition_only)
{
    cluster.create_topic("jobs", 2);
    produce("jobs", 20);
    {
        member first(loop, group("jobs"));
        ASSERT_TRUE(first.holds(2));
        EXPECT_EQ(first.commit({{first.listener.holding(0), 1'000'000, ""}}), std::vector{commit_result::committed});
        ASSERT_TRUE(first.close(patience));
    }
    member second(loop, group("jobs"));
    ASSERT_TRUE(second.holds(2));
    EXPECT_EQ(second.consumer.stopped_partitions(), std::vector<std::string>{"jobs/0"});
    EXPECT_EQ(second.consumer.stats().stopped_partitions, 1U);
    const auto healthy = second.listener.holding(1);
    ASSERT_TRUE(run_until(loop, [&] { return !second.listener.records.empty(); }));
    produce("jobs", 20);
    ASSERT_TRUE(run_until(loop, [&] { return second.listener.records.size() >= 12; }));
    for (const auto& record : second.listener.records) {
        EXPECT_EQ(record.assignment, healthy);
    }
}

TEST_F(job_consumer_test, a_position_out_of_range_is_looked_into_and_taken_up_again)
{
    cluster.create_topic("jobs");
    produce("jobs", 5);
    cluster.push_errors(kafka::api_key::fetch, {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE});
    member reader(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 5; }));
    EXPECT_EQ(reader.listener.records.front().offset, 0);
    EXPECT_EQ(reader.consumer.stats().positions_fallen_off, 0U);
    EXPECT_TRUE(reader.consumer.stopped_partitions().empty());
}

TEST_F(job_consumer_test, without_a_commit_the_latest_start_skips_what_is_there)
{
    cluster.create_topic("jobs");
    produce("jobs", 5);
    auto settings = group("jobs");
    settings.start = kafka::start_position::latest;
    member reader(loop, settings);
    ASSERT_TRUE(reader.holds(1));
    produce("jobs", 1);
    ASSERT_TRUE(run_until(loop, [&] { return !reader.listener.records.empty(); }));
    EXPECT_EQ(reader.listener.records.front().offset, 5);
}

TEST_F(job_consumer_test, without_a_commit_the_error_start_refuses_with_what_to_set)
{
    cluster.create_topic("jobs");
    auto settings = group("jobs");
    settings.start = kafka::start_position::error;
    member reader(loop, settings);
    ASSERT_TRUE(run_until(loop, [&] { return !reader.listener.failures.empty(); }));
    EXPECT_NE(reader.listener.failures[0].find("topic jobs, partition 0"), std::string::npos);
    EXPECT_NE(reader.listener.failures[0].find("kafka.start"), std::string::npos);
    EXPECT_EQ(reader.listener.assigned_calls, 0);
}

TEST_F(job_consumer_test, the_start_of_reading_waits_for_a_coordinator_that_is_slow_to_give_the_commits)
{
    cluster.create_topic("jobs");
    produce("jobs", 3);
    cluster.push_errors(kafka::api_key::offset_fetch,
                        {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
    member reader(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 3; }));
    EXPECT_EQ(reader.listener.assigned_calls, 1);
}

TEST_F(job_consumer_test, a_property_librdkafka_refuses_is_an_error_with_its_text)
{
    auto settings = group("jobs");
    settings.client.properties["session.timeout.ms"] = secret("soon");
    EXPECT_THROW(kafka::job_consumer(loop.get_executor(), settings), kafka::configuration_error);
}

} // namespace
} // namespace wxcourier::kafka_test
