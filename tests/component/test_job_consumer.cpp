// SPDX-License-Identifier: Apache-2.0
#include "kafka_fixture.hpp"

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
    ASSERT_TRUE(run_until(loop, [&] {
        return std::any_of(second.listener.records.begin(), second.listener.records.end(),
                           [&](const auto& record) { return record.assignment == assigned.id; });
    }));
    const auto first_of_partition = std::find_if(second.listener.records.begin(), second.listener.records.end(),
                                                 [&](const auto& record) { return record.assignment == assigned.id; });
    EXPECT_EQ(first_of_partition->offset, 5);
}

} // namespace
} // namespace wxcourier::kafka_test
