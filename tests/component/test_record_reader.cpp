// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_reader.hpp"
#include "kafka/topic_admin.hpp"
#include "kafka_fixture.hpp"

namespace wxcourier::kafka_test {
namespace {

class record_reader_test : public kafka_test {
protected:
    steady_time soon() const { return steady_clock::now() + patience; }
};

TEST_F(record_reader_test, from_the_beginning_it_reads_every_partition_and_knows_the_end)
{
    cluster.create_topic("status", 3);
    produce("status", 50);
    kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_beginning{});
    ASSERT_EQ(run(loop, reader.open(soon())), "");
    EXPECT_FALSE(reader.at_end());
    std::set<std::string> keys;
    for (int count = 0; count < 50; ++count) {
        const auto record = run(loop, reader.next(soon()));
        ASSERT_TRUE(record);
        keys.insert(*record->key);
    }
    EXPECT_EQ(keys.size(), 50U);
    EXPECT_TRUE(run_until(loop, [&] { return reader.at_end(); }));
    EXPECT_FALSE(run(loop, reader.next(steady_clock::now() + 50ms))) << "there is nothing more";
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, from_the_end_it_sees_only_what_comes)
{
    cluster.create_topic("status");
    produce("status", 5);
    kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_end{});
    ASSERT_EQ(run(loop, reader.open(soon())), "");
    EXPECT_TRUE(reader.at_end());
    produce("status", 1);
    const auto record = run(loop, reader.next(soon()));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->offset, 5);
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, from_the_last_it_reads_no_more_than_that_many_offsets)
{
    cluster.create_topic("status");
    produce("status", 5);
    for (const auto& [last, first_read] : {std::pair{2, 3}, std::pair{5, 0}, std::pair{50, 0}}) {
        kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_last{last});
        ASSERT_EQ(run(loop, reader.open(soon())), "");
        EXPECT_EQ(reader.partitions_of("status"), 1U);
        EXPECT_FALSE(reader.at_end());
        const auto record = run(loop, reader.next(soon()));
        ASSERT_TRUE(record);
        EXPECT_EQ(record->offset, first_read);
        EXPECT_TRUE(run(loop, reader.close(soon())));
    }
}

TEST_F(record_reader_test, two_topics_are_followed_with_one_client_and_their_partitions_are_known)
{
    cluster.create_topic("fleet");
    cluster.create_topic("tokens", 3);
    kafka::record_reader reader(loop.get_executor(), client(), {"fleet", "tokens"}, kafka::from_last{100});
    ASSERT_EQ(run(loop, reader.open(soon())), "");
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(reader.partitions_of("fleet"), 1U);
    EXPECT_EQ(reader.partitions_of("tokens"), 3U);
    EXPECT_EQ(reader.partitions_of("other"), 0U);
    produce("tokens", 1);
    produce("fleet", 1);
    std::set<std::string> topics;
    for (int count = 0; count < 2; ++count) {
        const auto record = run(loop, reader.next(soon()));
        ASSERT_TRUE(record);
        topics.insert(record->topic);
    }
    EXPECT_EQ(topics, (std::set<std::string>{"fleet", "tokens"}));
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, it_knows_where_it_stands_and_how_much_is_still_to_come)
{
    cluster.create_topic("status", 2);
    produce("status", 20);
    kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_end{});
    ASSERT_EQ(run(loop, reader.open(soon())), "");
    ASSERT_EQ(reader.positions().size(), 2U);
    std::int64_t started = 0;
    for (const auto& [where, position] : reader.positions())
        started += position.start;
    EXPECT_EQ(started, 20);
    produce("status", 10);
    const auto state = run(loop, reader.look(soon()));
    EXPECT_EQ(state.error, "");
    EXPECT_EQ(state.behind, 10);
    for (int count = 0; count < 10; ++count)
        ASSERT_TRUE(run(loop, reader.next(soon())));
    EXPECT_EQ(run(loop, reader.look(soon())).behind, 0);
    cluster.set_down();
    EXPECT_NE(run(loop, reader.look(steady_clock::now() + 500ms)).error, "");
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, a_missing_topic_is_said_by_name_and_can_be_tried_again)
{
    cluster.set_topic_error("status", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_beginning{});
    EXPECT_NE(run(loop, reader.open(soon())).find("topic status"), std::string::npos);
    cluster.set_topic_error("status", RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(run(loop, reader.open(soon())), "");
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, without_a_broker_opening_ends_with_an_error_at_the_deadline)
{
    cluster.set_down();
    kafka::record_reader reader(loop.get_executor(), client(), {"status"}, kafka::from_beginning{});
    EXPECT_NE(run(loop, reader.open(steady_clock::now() + 500ms)), "");
    EXPECT_TRUE(run(loop, reader.close(soon())));
}

TEST_F(record_reader_test, the_admin_client_names_the_topics_that_are_missing)
{
    cluster.create_topic("status");
    kafka::topic_admin admin(loop.get_executor(), client());
    const std::vector<std::string> wanted = {"jobs", "status", "dead"};
    const auto found = run(loop, admin.find_missing(wanted, soon()));
    EXPECT_EQ(found.error, "");
    EXPECT_EQ(found.missing, (std::vector<std::string>{"jobs", "dead"}));
    EXPECT_EQ(found.partitions, (std::map<std::string, std::int32_t>{{"status", 1}}));
    cluster.set_down();
    const auto unknown = run(loop, admin.find_missing(wanted, steady_clock::now() + 500ms));
    EXPECT_NE(unknown.error, "");
    EXPECT_TRUE(run(loop, admin.close(soon())));
}

TEST_F(record_reader_test, topics_that_cannot_be_created_are_reported_by_name)
{
    // The mock cluster does not know CreateTopics: the answer is an error, not a wait without end.
    kafka::topic_admin admin(loop.get_executor(), client());
    const std::vector<kafka::topic_specification> wanted = {{"jobs", 3, -1, {{"cleanup.policy", "compact"}}}};
    EXPECT_FALSE(run(loop, admin.create(wanted, steady_clock::now() + 2s)).empty());
    const std::vector<kafka::topic_specification> impossible = {{"dead", -7, -1, {}}};
    const auto errors = run(loop, admin.create(impossible, soon()));
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].substr(0, 6), "dead: ");
    EXPECT_TRUE(run(loop, admin.close(soon())));
}

} // namespace
} // namespace wxcourier::kafka_test
