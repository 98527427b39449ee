// SPDX-License-Identifier: Apache-2.0
// What is in memory stays bounded, whatever waits in Kafka and whatever Kafka does not take.
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class backpressure : public courier_test {
protected:
    void append_jobs(int count, std::int32_t partition = 0)
    {
        for (int i = 0; i < count; ++i)
            append(job_text("j" + std::to_string(partition) + "-" + std::to_string(i)), partition);
    }
};

TEST_F(backpressure, no_more_is_read_than_may_be_in_memory)
{
    options.admission.messages = 500;
    append_jobs(5000);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.advance(seconds{10});
    EXPECT_EQ(worker.source.polled, 500U);
    worker.pushes.hold = false;
    worker.pushes.answer_all();
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().size(), 5000U) << "and it goes on by itself";
}

TEST_F(backpressure, no_more_is_read_ahead_than_a_fast_app_sends_next)
{
    options.apps[0].limits.rate_per_second = 1'000'000;
    options.apps[0].limits.burst = 1'000'000;
    append_jobs(30'000);
    auto& worker = start();
    std::size_t furthest = 0;
    std::size_t answered = 0;
    worker.pushes.hold = true;
    worker.source.assign(0);
    for (int i = 0; i < 200; ++i) { // 256 in 10 ms
        time.advance(milliseconds{10});
        furthest = std::max(furthest, worker.source.polled - answered);
        answered += worker.pushes.pending();
        worker.pushes.answer_all();
    }
    const auto in_flight = engine::in_flight_limit(options);
    EXPECT_LE(furthest, 3 * in_flight + 256);
    worker.pushes.hold = false;
    worker.pushes.answer_all();
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().size(), 30'000U);
}

TEST_F(backpressure, no_more_is_read_than_the_bytes_allow)
{
    options.admission.bytes = 1'000'000;
    const std::string padding(9000, 'x');
    for (int i = 0; i < 1000; ++i)
        append(job_text("j" + std::to_string(i)).says(padding));
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.advance(seconds{10});
    EXPECT_LE(worker.source.polled, 112U);
    EXPECT_GE(worker.source.polled, 20U);
    worker.pushes.hold = false;
    worker.pushes.answer_all();
    time.advance(minutes{1});
    EXPECT_EQ(worker.pushes.calls.size(), 1000U);
}

TEST_F(backpressure, partitions_are_read_in_turn)
{
    options.admission.messages = 400;
    append_jobs(5000, 0);
    append_jobs(50, 1);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    worker.source.assign(1);
    time.advance(seconds{1});
    std::size_t of_small = 0;
    for (const auto& call : worker.pushes.calls)
        of_small += call.touser.starts_with("to-j1-") ? 1 : 0;
    EXPECT_EQ(of_small, 50U);
}

TEST_F(backpressure, statuses_that_kafka_does_not_take_stop_the_reading)
{
    options.admission.messages = 500;
    append_jobs(5000);
    auto& worker = start();
    worker.publisher.hold = true;
    worker.source.assign(0);
    time.advance(minutes{10});
    EXPECT_LE(worker.source.polled, 500U);
    EXPECT_LE(worker.publisher.waiting.size(), 500U);
    worker.publisher.hold = false;
    worker.publisher.acknowledge_all();
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().size(), 5000U);
    EXPECT_EQ(committed(), 5000);
}

TEST_F(backpressure, rejected_records_are_bounded_as_well)
{
    options.admission.messages = 500;
    for (int i = 0; i < 5000; ++i)
        log.append(0, "no job", time.wall_now());
    auto& worker = start();
    worker.publisher.hold = true;
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_LE(worker.source.polled, 500U);
    worker.publisher.hold = false;
    worker.publisher.acknowledge_all();
    time.advance(minutes{1});
    EXPECT_EQ(committed(), 5000);
}

TEST_F(backpressure, fan_outs_of_many_partitions_stay_within_their_windows)
{
    options.admission.messages = 1000;
    options.apps[0].limits.concurrency = 100'000;
    for (std::int32_t partition = 0; partition < 12; ++partition)
        append(job_text("j" + std::to_string(partition)).recipients(5000, "p" + std::to_string(partition) + "-"),
               partition);
    auto& worker = start();
    worker.pushes.hold = true;
    for (std::int32_t partition = 0; partition < 12; ++partition)
        worker.source.assign(partition);
    time.advance(seconds{10});
    EXPECT_LE(worker.pushes.pending(), 1000U + 256U);
}

TEST_F(backpressure, everything_read_and_waiting_is_one_jobs_worth_of_turns)
{
    append_jobs(3);
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    const auto polled = worker.source.polled;
    time.advance(hours{1});
    EXPECT_EQ(worker.source.polled, polled);
}

} // namespace
} // namespace wxcourier::test
