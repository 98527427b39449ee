// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_reader.hpp"
#include "kafka_fixture.hpp"

namespace wxcourier::kafka_test {
namespace {

using engine::publish_result;

/// A producer with its listener, closed when it goes.
struct publisher {
    publisher(asio::io_context& context, kafka::producer_settings settings)
        : loop(context), producer(context.get_executor(), std::move(settings))
    {
        producer.start(listener);
    }
    ~publisher() { run(loop, producer.close(steady_clock::now() + patience)); }
    void publish(const std::string& topic, std::uint64_t ticket, std::string value = "v")
    {
        producer.publish({topic, std::to_string(ticket), std::move(value), {}}, ticket);
    }
    bool flush(steady_clock::duration limit = patience)
    {
        return run(loop, producer.flush(steady_clock::now() + limit));
    }
    /// Every ticket from 1 on came back exactly once, acknowledged.
    void expect_all_acknowledged_once(std::uint64_t count) const
    {
        EXPECT_EQ(listener.times.size(), count);
        for (const auto& [ticket, times] : listener.times) {
            EXPECT_EQ(times, 1) << "ticket " << ticket;
            EXPECT_EQ(listener.results.at(ticket), publish_result::acknowledged) << "ticket " << ticket;
        }
    }

    asio::io_context& loop;
    recording_publisher_listener listener;
    kafka::record_producer producer;
};

class record_producer_test : public kafka_test {
protected:
    /// Everything in a topic, read to its end.
    std::vector<kafka::read_record> read_all(const std::string& topic)
    {
        std::vector<kafka::read_record> records;
        kafka::record_reader reader(loop.get_executor(), client(), {topic}, kafka::from_beginning{});
        EXPECT_EQ(run(loop, reader.open(steady_clock::now() + patience)), "");
        EXPECT_TRUE(run_until(loop, [&] {
            while (auto record = reader.poll()) {
                records.push_back(std::move(*record));
            }
            return reader.at_end();
        }));
        run(loop, reader.close(steady_clock::now() + patience));
        return records;
    }
};

TEST_F(record_producer_test, every_record_comes_back_acknowledged_and_stands_in_its_order)
{
    cluster.create_topic("status");
    publisher writer(loop, {client(), {"status"}});
    for (std::uint64_t ticket = 1; ticket <= 1000; ++ticket) {
        writer.publish("status", ticket);
    }
    EXPECT_TRUE(writer.listener.times.empty()) << "told from inside publish";
    EXPECT_EQ(writer.producer.pending(), 1000U);
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(1000);
    const auto records = read_all("status");
    ASSERT_EQ(records.size(), 1000U);
    for (std::size_t index = 0; index < records.size(); ++index) {
        EXPECT_EQ(records[index].key, std::to_string(index + 1));
    }
}

TEST_F(record_producer_test, a_full_queue_of_the_client_keeps_records_here_and_in_order)
{
    cluster.create_topic("status");
    auto settings = client();
    settings.properties.emplace("queue.buffering.max.messages", secret("10"));
    publisher writer(loop, {settings, {}});
    for (std::uint64_t ticket = 1; ticket <= 500; ++ticket) {
        writer.publish("status", ticket);
    }
    EXPECT_GE(writer.producer.stats().waiting, 490U);
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(500);
    const auto records = read_all("status");
    ASSERT_EQ(records.size(), 500U);
    for (std::size_t index = 0; index < records.size(); ++index) {
        EXPECT_EQ(records[index].key, std::to_string(index + 1));
    }
}

TEST_F(record_producer_test, a_broker_that_is_away_is_waited_for)
{
    cluster.create_topic("status");
    publisher writer(loop, {client(), {"status"}});
    writer.publish("status", 1);
    ASSERT_TRUE(writer.flush());
    cluster.set_down();
    for (std::uint64_t ticket = 2; ticket <= 20; ++ticket) {
        writer.publish("status", ticket);
    }
    EXPECT_FALSE(writer.flush(1s)) << "there is no broker";
    EXPECT_EQ(writer.producer.pending(), 19U);
    cluster.set_up();
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(20);
    EXPECT_EQ(read_all("status").size(), 20U);
}

TEST_F(record_producer_test, what_librdkafka_gives_up_for_its_age_is_produced_again)
{
    cluster.create_topic("status");
    auto settings = client();
    settings.properties.emplace("message.timeout.ms", secret("300"));
    publisher writer(loop, {settings, {"status"}});
    cluster.set_down();
    for (std::uint64_t ticket = 1; ticket <= 5; ++ticket) {
        writer.publish("status", ticket);
    }
    ASSERT_TRUE(run_until(loop, [&] { return writer.producer.stats().retries >= 5; }));
    EXPECT_TRUE(writer.listener.times.empty());
    cluster.set_up();
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(5);
}

TEST_F(record_producer_test, a_missing_topic_is_waited_for_and_holds_up_no_other)
{
    cluster.create_topic("status");
    cluster.set_topic_error("dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    auto settings = client();
    settings.properties.emplace("topic.metadata.propagation.max.ms", secret("100"));
    settings.properties.emplace("topic.metadata.refresh.interval.ms", secret("500"));
    publisher writer(loop, {settings, {"status", "dead"}});
    writer.publish("dead", 1);
    ASSERT_TRUE(run_until(loop, [&] { return writer.producer.stats().retries >= 1; }));
    writer.publish("status", 2);
    ASSERT_TRUE(run_until(loop, [&] { return writer.listener.times.contains(2); }));
    EXPECT_FALSE(writer.listener.times.contains(1));
    cluster.set_topic_error("dead", RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(2);
}

TEST_F(record_producer_test, a_record_that_the_client_refuses_for_its_size_is_too_large)
{
    cluster.create_topic("dead");
    auto settings = client();
    settings.properties.emplace("message.max.bytes", secret("1000"));
    publisher writer(loop, {settings, {}});
    writer.publish("dead", 1, std::string(2000, 'x'));
    writer.publish("dead", 2);
    EXPECT_TRUE(writer.listener.times.empty()) << "told from inside publish";
    EXPECT_EQ(writer.producer.pending(), 2U);
    ASSERT_TRUE(writer.flush());
    EXPECT_EQ(writer.listener.results.at(1), publish_result::too_large);
    EXPECT_EQ(writer.listener.results.at(2), publish_result::acknowledged);
    EXPECT_EQ(writer.producer.stats().too_large, 1U);
}

TEST_F(record_producer_test, only_a_record_that_the_broker_refuses_by_itself_is_too_large)
{
    cluster.create_topic("dead");
    publisher writer(loop, {client(), {"dead"}});
    // The batch of all three is refused, then the first of them alone.
    cluster.push_errors(kafka::api_key::produce,
                        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket) {
        writer.publish("dead", ticket);
    }
    ASSERT_TRUE(writer.flush());
    EXPECT_EQ(writer.listener.results.at(1), publish_result::too_large);
    EXPECT_EQ(writer.listener.results.at(2), publish_result::acknowledged);
    EXPECT_EQ(writer.listener.results.at(3), publish_result::acknowledged);
    EXPECT_EQ(writer.listener.times, (std::map<std::uint64_t, int>{{1, 1}, {2, 1}, {3, 1}}));
}

TEST_F(record_producer_test, after_a_fatal_error_everything_unacknowledged_is_written_by_a_new_client)
{
    cluster.create_topic("status");
    publisher writer(loop, {client(), {"status"}});
    cluster.set_round_trip(200);
    for (std::uint64_t ticket = 1; ticket <= 50; ++ticket) {
        writer.publish("status", ticket);
    }
    writer.producer.provoke_fatal_error();
    for (std::uint64_t ticket = 51; ticket <= 100; ++ticket) {
        writer.publish("status", ticket);
    }
    ASSERT_TRUE(writer.flush());
    writer.expect_all_acknowledged_once(100);
    EXPECT_EQ(writer.producer.stats().rebuilds, 1U);
    std::set<std::string> keys;
    for (const auto& record : read_all("status")) {
        keys.insert(*record.key);
    }
    EXPECT_EQ(keys.size(), 100U) << "nothing is missing; repeats are allowed";
}

TEST_F(record_producer_test, it_recovers_from_fatal_errors_again_and_again)
{
    cluster.create_topic("status");
    publisher writer(loop, {client(), {"status"}});
    for (std::uint64_t round = 1; round <= 3; ++round) {
        writer.publish("status", round);
        writer.producer.provoke_fatal_error();
        ASSERT_TRUE(writer.flush()) << "round " << round;
    }
    writer.expect_all_acknowledged_once(3);
    EXPECT_EQ(writer.producer.stats().rebuilds, 3U);
}

TEST_F(record_producer_test, it_closes_within_its_deadline_while_the_broker_is_away)
{
    cluster.create_topic("status");
    kafka::record_producer producer(loop.get_executor(), {client(), {"status"}});
    recording_publisher_listener listener;
    producer.start(listener);
    cluster.set_down();
    producer.publish({"status", "k", "v", {}}, 1);
    const auto before = steady_clock::now();
    EXPECT_FALSE(run(loop, producer.flush(before + 200ms)));
    run(loop, producer.close(before + 5s));
    EXPECT_LT(steady_clock::now() - before, 6s);
    EXPECT_EQ(producer.pending(), 0U);
    EXPECT_TRUE(listener.times.empty());
}

TEST_F(record_producer_test, a_broker_that_hangs_is_given_up_for_the_next_leader)
{
    kafka::mock_cluster two(2);
    two.create_topic("status");
    two.set_leader("status", 0, 1);
    auto settings = client();
    settings.bootstrap_servers = two.bootstrap_servers();
    publisher writer(loop, {settings, {"status"}});
    writer.publish("status", 1);
    ASSERT_TRUE(writer.flush());
    two.set_round_trip(120'000, 1); // It takes connections and requests, and does not answer.
    writer.publish("status", 2);
    run_until(
        loop, [] { return false; }, 500ms); // The request is on its way to the broker that hangs.
    two.set_leader("status", 0, 2);
    ASSERT_TRUE(writer.flush(25s)) << "librdkafka's own socket.timeout.ms is a minute";
    writer.expect_all_acknowledged_once(2);
}

TEST_F(record_producer_test, a_property_librdkafka_refuses_is_an_error_with_its_text_and_without_secrets)
{
    auto settings = client();
    settings.properties.emplace("no.such.property", secret("1"));
    try {
        kafka::record_producer producer(loop.get_executor(), {settings, {}});
        FAIL() << "accepted";
    } catch (const kafka::configuration_error& error) {
        EXPECT_EQ(std::string(error.what()),
                  R"(Kafka property no.such.property: No such configuration property: "no.such.property")");
    }
    settings = client();
    settings.properties.emplace("linger.ms", secret("soon"));
    EXPECT_THROW(kafka::record_producer(loop.get_executor(), {settings, {}}), kafka::configuration_error);
    settings = client();
    settings.properties.emplace("ssl.key.pem", secret("hunter2"));
    settings.properties.emplace("security.protocol", secret("ssl"));
    try {
        kafka::record_producer producer(loop.get_executor(), {settings, {}});
        FAIL() << "accepted";
    } catch (const kafka::configuration_error& error) {
        EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
    }
}

} // namespace
} // namespace wxcourier::kafka_test
