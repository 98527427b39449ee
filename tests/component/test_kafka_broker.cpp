// SPDX-License-Identifier: Apache-2.0
// What the mock cluster cannot show. Runs against the Kafka that WXCOURIER_TEST_KAFKA names (host:port), else skips.
#include "kafka/client_config.hpp"
#include "kafka/record_reader.hpp"
#include "kafka/topic_admin.hpp"
#include "kafka_fixture.hpp"

#include <algorithm>
#include <cstdlib>

namespace wxcourier::kafka_test {
namespace {

using engine::commit_result;
using engine::publish_result;

class kafka_broker_test : public ::testing::Test {
protected:
    void SetUp() override
    {
        const char* address = std::getenv("WXCOURIER_TEST_KAFKA");
        if (address == nullptr) {
            GTEST_SKIP() << "WXCOURIER_TEST_KAFKA is not set";
        }
        settings.bootstrap_servers = address;
        settings.properties.emplace("session.timeout.ms", secret("6000"));
        settings.properties.emplace("heartbeat.interval.ms", secret("300"));
        admin.emplace(loop.get_executor(), settings);
        const auto unique = std::chrono::system_clock::now().time_since_epoch().count();
        topic = std::string("test-") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                std::to_string(unique);
    }
    void TearDown() override
    {
        if (admin) {
            EXPECT_TRUE(run(loop, admin->close(soon())));
        }
    }
    static steady_time soon() { return steady_clock::now() + patience; }

    void create(int partitions, std::map<std::string, std::string> config = {})
    {
        const std::vector<kafka::topic_specification> wanted = {{topic, partitions, -1, std::move(config)}};
        ASSERT_EQ(run(loop, admin->create(wanted, soon())), std::vector<std::string>{});
        const std::vector<std::string> names = {topic};
        ASSERT_TRUE(run_until(loop, [&] {
            const auto found = run(loop, admin->find_missing(names, soon()));
            return found.error.empty() && found.missing.empty();
        }));
    }
    void produce(int count, const std::string& value = "v")
    {
        recording_publisher_listener listener;
        kafka::record_producer producer(loop.get_executor(), {settings, {topic}});
        producer.start(listener);
        for (int index = 0; index < count; ++index) {
            producer.publish({topic, std::to_string(index), value, {}}, static_cast<std::uint64_t>(index));
        }
        ASSERT_TRUE(run(loop, producer.flush(soon())));
        run(loop, producer.close(soon()));
    }
    kafka::consumer_settings group() const { return {settings, "group-" + topic, {topic}}; }

    /// What an operator does to a topic: its records below `offset` go, or all of it.
    void delete_records(std::int32_t partition, std::int64_t offset)
    {
        const auto client = kafka::open_client(RD_KAFKA_PRODUCER, kafka::make_conf(settings, {}, {}, 0));
        const kafka::queue_handle queue(rd_kafka_queue_new(client.get()));
        const kafka::partition_list_handle list(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
        rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
        rd_kafka_DeleteRecords(client.get(), &request, 1, nullptr, queue.get());
        const kafka::event_handle event(rd_kafka_queue_poll(queue.get(), 20'000));
        rd_kafka_DeleteRecords_destroy(request);
        ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    void delete_topic()
    {
        const auto client = kafka::open_client(RD_KAFKA_PRODUCER, kafka::make_conf(settings, {}, {}, 0));
        const kafka::queue_handle queue(rd_kafka_queue_new(client.get()));
        rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(topic.c_str());
        rd_kafka_DeleteTopics(client.get(), &request, 1, nullptr, queue.get());
        const kafka::event_handle event(rd_kafka_queue_poll(queue.get(), 20'000));
        rd_kafka_DeleteTopic_destroy(request);
        ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
        const std::vector<std::string> names = {topic};
        ASSERT_TRUE(run_until(loop, [&] { return run(loop, admin->find_missing(names, soon())).missing == names; }));
    }

    asio::io_context loop;
    kafka::client_settings settings;
    std::optional<kafka::topic_admin> admin;
    std::string topic;
};

TEST_F(kafka_broker_test, creating_a_topic_that_exists_is_no_error_and_a_bad_setting_is_one)
{
    create(2);
    create(2);
    const std::vector<kafka::topic_specification> wrong = {{topic + "-wrong", 1, -1, {{"cleanup.policy", "never"}}}};
    const auto errors = run(loop, admin->create(wrong, soon()));
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].find(topic + "-wrong: "), 0U) << errors[0];
}

TEST_F(kafka_broker_test, what_is_committed_during_a_revocation_is_where_the_next_owner_begins)
{
    create(2);
    produce(100);
    member first(loop, group());
    first.listener.release_at_once = false;
    ASSERT_TRUE(first.holds(2));
    const auto zero = first.listener.holding(0);
    const auto one = first.listener.holding(1);
    ASSERT_TRUE(run_until(loop, [&] { return first.listener.records.size() == 100; }));
    member second(loop, group());
    ASSERT_TRUE(run_until(loop, [&] { return !first.listener.revoking.empty(); }));
    EXPECT_EQ(first.commit({{zero, 7, "m0"}, {one, 9, "m1"}}),
              (std::vector{commit_result::committed, commit_result::committed}));
    first.listener.release_at_once = true;
    for (const auto id : first.listener.revoking) {
        first.listener.assignments.erase(id);
    }
    first.consumer.release({first.listener.revoking.begin(), first.listener.revoking.end()});
    ASSERT_TRUE(run_until(
        loop, [&] { return first.listener.assignments.size() == 1 && second.listener.assignments.size() == 1; }));
    const auto& assigned = second.listener.assignments.begin()->second;
    EXPECT_EQ(assigned.committed, assigned.partition == 0 ? 7 : 9);
    EXPECT_EQ(assigned.commit_metadata, assigned.partition == 0 ? "m0" : "m1");
    ASSERT_TRUE(run_until(loop, [&] { return !second.listener.records.empty(); }));
    EXPECT_EQ(second.listener.records.front().offset, assigned.committed);
}

TEST_F(kafka_broker_test, what_was_fetched_but_not_polled_survives_a_rebalance)
{
    create(4);
    produce(400);
    member first(loop, group());
    first.listener.polls = false;
    ASSERT_TRUE(first.holds(4));
    ASSERT_TRUE(run_until(loop, [&] { return first.consumer.stats().fetched_records >= 400; }));
    member second(loop, group());
    ASSERT_TRUE(run_until(
        loop, [&] { return first.listener.assignments.size() == 2 && second.listener.assignments.size() == 2; }));
    std::set<std::pair<std::int32_t, std::int64_t>> seen;
    const auto note = [&](member& each) {
        while (each.listener.read_one()) {
        }
        for (const auto& record : each.listener.records) {
            seen.emplace(each.listener.assignments.at(record.assignment).partition, record.offset);
        }
    };
    EXPECT_TRUE(run_until(
        loop,
        [&] {
            note(first);
            note(second);
            return seen.size() == 400;
        },
        5s))
        << seen.size();
}

TEST_F(kafka_broker_test, metadata_that_is_too_large_fails_its_partition_only)
{
    create(2);
    member reader(loop, group());
    ASSERT_TRUE(reader.holds(2));
    const auto zero = reader.listener.holding(0);
    const auto one = reader.listener.holding(1);
    EXPECT_EQ(reader.commit({{zero, 0, std::string(4097, 'x')}, {one, 0, std::string(4096, 'x')}}),
              (std::vector{commit_result::metadata_too_large, commit_result::committed}));
}

TEST_F(kafka_broker_test, a_commit_that_has_fallen_off_the_start_goes_on_at_the_start_and_is_counted)
{
    create(1);
    produce(100);
    {
        member first(loop, group());
        ASSERT_TRUE(first.holds(1));
        EXPECT_EQ(first.commit({{first.listener.holding(0), 10, ""}}), std::vector{commit_result::committed});
        ASSERT_TRUE(first.close(patience));
    }
    delete_records(0, 60);
    member second(loop, group());
    ASSERT_TRUE(run_until(loop, [&] { return second.listener.records.size() == 40; }));
    EXPECT_EQ(second.listener.records.front().offset, 60);
    EXPECT_EQ(second.consumer.stats().positions_fallen_off, 1U);
    EXPECT_EQ(second.consumer.stats().records_fallen_off, 50U);
}

TEST_F(kafka_broker_test, records_deleted_ahead_of_a_reader_are_skipped_and_counted)
{
    create(2);
    auto few = group();
    few.client.properties["queued.min.messages"] = secret("1");
    few.client.properties["queued.max.messages.kbytes"] = secret("1");
    few.client.properties["fetch.message.max.bytes"] = secret("1000");
    for (int batch = 0; batch < 10; ++batch) { // Fetches return whole batches.
        produce(20, std::string(200, 'x'));
    }
    member reader(loop, few);
    reader.listener.polls = false;
    ASSERT_TRUE(reader.holds(2));
    ASSERT_TRUE(run_until(loop, [&] { return reader.consumer.stats().fetched_records > 0; }));
    delete_records(0, -1);
    delete_records(1, -1);
    produce(20);
    reader.listener.polls = true;
    ASSERT_TRUE(run_until(loop, [&] {
        reader.listener.on_records();
        return reader.consumer.stats().positions_fallen_off == 2;
    }));
    const auto before = reader.listener.records.size();
    ASSERT_TRUE(run_until(
        loop, [&] { return reader.listener.records.size() + reader.consumer.stats().records_fallen_off == 220; }))
        << before << " records, then " << reader.listener.records.size();
}

TEST_F(kafka_broker_test, a_topic_made_anew_stops_the_partitions_whose_commit_it_no_longer_reaches)
{
    create(1);
    produce(50);
    {
        member first(loop, group());
        ASSERT_TRUE(first.holds(1));
        EXPECT_EQ(first.commit({{first.listener.holding(0), 50, ""}}), std::vector{commit_result::committed});
        ASSERT_TRUE(first.close(patience));
    }
    delete_topic();
    create(1);
    produce(5);
    member second(loop, group());
    ASSERT_TRUE(second.holds(1));
    // The broker may have dropped the group's commits with the topic: then it is a group without one.
    if (second.listener.assignments.begin()->second.committed) {
        EXPECT_EQ(second.consumer.stopped_partitions(), std::vector<std::string>{topic + "/0"});
    } else {
        ASSERT_TRUE(run_until(loop, [&] { return second.listener.records.size() == 5; }));
    }
}

TEST_F(kafka_broker_test, in_a_batch_that_is_refused_only_the_record_at_fault_is_too_large)
{
    create(1, {{"max.message.bytes", "2000"}});
    auto slow = settings;
    slow.properties["linger.ms"] = secret("50");
    slow.properties["compression.codec"] = secret("none");
    recording_publisher_listener listener;
    kafka::record_producer producer(loop.get_executor(), {slow, {topic}});
    producer.start(listener);
    for (std::uint64_t ticket = 1; ticket <= 30; ++ticket) {
        producer.publish({topic, "k", std::string(ticket == 13 ? 5000 : 100, 'x'), {}}, ticket);
    }
    ASSERT_TRUE(run(loop, producer.flush(soon())));
    for (std::uint64_t ticket = 1; ticket <= 30; ++ticket) {
        EXPECT_EQ(listener.times[ticket], 1);
        EXPECT_EQ(listener.results[ticket], ticket == 13 ? publish_result::too_large : publish_result::acknowledged)
            << ticket;
    }
    EXPECT_TRUE(run(loop, producer.close(soon())));
}

TEST_F(kafka_broker_test, a_record_larger_than_every_prefetch_limit_gets_through)
{
    create(1, {{"max.message.bytes", "6000000"}});
    auto plain = settings;
    plain.properties["compression.codec"] = secret("none");
    settings = plain;
    produce(1, std::string(5'000'000, 'x'));
    member reader(loop, group());
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 1; }));
    EXPECT_EQ(reader.listener.records[0].value->size(), 5'000'000U);
}

TEST_F(kafka_broker_test, a_stalled_reader_holds_little_whatever_the_backlog)
{
    create(6, {{"compression.type", "uncompressed"}});
    settings.properties["compression.codec"] = secret("none");
    produce(120, std::string(1'000'000, 'x'));
    member reader(loop, group());
    reader.listener.polls = false;
    ASSERT_TRUE(reader.holds(6));
    // Fetching has come to rest when a second brings nothing more.
    std::uint64_t held = 0;
    auto since = steady_clock::now();
    ASSERT_TRUE(run_until(loop, [&] {
        const auto now = reader.consumer.stats().fetched_records;
        if (now != held) {
            held = now;
            since = steady_clock::now();
        }
        return held > 0 && steady_clock::now() - since > 1s;
    }));
    // The limit is 2 MiB for each partition, and a fetch that was under way may go over it once.
    EXPECT_LE(held, 6U * 6U) << "records of 1 MB";
    ASSERT_TRUE(run_until(loop, [&] {
        while (reader.listener.read_one()) {
        }
        return reader.listener.records.size() == 120;
    }));
}

TEST_F(kafka_broker_test, a_reader_begins_at_a_time)
{
    create(2);
    produce(10);
    kafka::record_reader all(loop.get_executor(), settings, {topic}, kafka::from_beginning{});
    ASSERT_EQ(run(loop, all.open(soon())), "");
    wall_time latest{};
    for (int count = 0; count < 10; ++count) {
        const auto record = run(loop, all.next(soon()));
        ASSERT_TRUE(record);
        latest = std::max(latest, record->timestamp);
    }
    EXPECT_TRUE(run(loop, all.close(soon())));
    ASSERT_TRUE(run_until(loop, [&] { return std::chrono::system_clock::now() > latest + 2ms; }));
    produce(6);
    kafka::record_reader late(loop.get_executor(), settings, {topic}, latest + milliseconds(1));
    ASSERT_EQ(run(loop, late.open(soon())), "");
    int count = 0;
    ASSERT_TRUE(run_until(loop, [&] {
        while (late.poll()) {
            ++count;
        }
        return late.at_end();
    }));
    EXPECT_EQ(count, 6);
    EXPECT_TRUE(run(loop, late.close(soon())));
}

TEST_F(kafka_broker_test, members_that_come_and_go_read_every_record_and_commits_are_never_moved_back)
{
    constexpr int total = 20'000;
    create(6);
    produce(total);
    std::set<std::pair<std::int32_t, std::int64_t>> seen;
    std::map<std::int32_t, std::int64_t> committed;
    std::vector<std::unique_ptr<member>> members;
    // Each member reads a little, commits what it has read, and hands over when asked.
    const auto work = [&](member& each) {
        for (const auto& [id, assignment] : each.listener.assignments) {
            EXPECT_GE(assignment.committed.value_or(0), committed[assignment.partition]) << "moved back";
            std::int64_t next = -1;
            for (int count = 0; count < 20; ++count) {
                const auto record = each.consumer.poll(id);
                if (!record) {
                    break;
                }
                seen.emplace(assignment.partition, record->offset);
                next = record->offset + 1;
            }
            if (next >= 0) {
                each.consumer.commit({{id, next, std::to_string(next)}});
            }
        }
    };
    const auto join = [&] {
        members.push_back(std::make_unique<member>(loop, group()));
        members.back()->listener.polls = false;
    };
    join();
    for (const std::size_t goal : {3'000, 6'000, 9'000, 12'000, 15'000}) {
        ASSERT_TRUE(run_until(loop, [&] {
            for (auto& each : members) {
                work(*each);
            }
            return seen.size() >= goal;
        }));
        if (goal == 9'000 || goal == 15'000) {
            ASSERT_TRUE(members.front()->close(patience));
            members.erase(members.begin());
        } else {
            join();
        }
    }
    ASSERT_TRUE(run_until(loop, [&] {
        for (auto& each : members) {
            work(*each);
        }
        return seen.size() == total;
    })) << seen.size();
}

} // namespace
} // namespace wxcourier::kafka_test
