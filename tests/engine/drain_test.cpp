// SPDX-License-Identifier: Apache-2.0
// SIGTERM: nothing new, what is under way ends, and all of it is committed.
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::SizeIs;

class draining : public courier_test {
protected:
};

TEST_F(draining, an_idle_worker_ends_at_once)
{
    auto& worker = start_with_partition();
    const auto before = time.now();
    EXPECT_TRUE(worker.drain().clean());
    EXPECT_EQ(time.now(), before);
}

TEST_F(draining, requests_under_way_end_and_are_committed)
{
    options.apps[0].limits.concurrency = 3;
    append_jobs(20);
    auto& worker = start();
    worker.pushes.latency = [](const auto&) { return seconds{2}; };
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto before = time.now();
    const auto report = worker.drain();
    EXPECT_TRUE(report.clean());
    EXPECT_LE(time.now() - before, seconds{1}) << "no longer than the slowest answer";
    EXPECT_THAT(worker.pushes.calls, SizeIs(3));
    EXPECT_EQ(outcomes().size(), 3U);
    EXPECT_EQ(committed(), 3);
}

TEST_F(draining, an_attempt_that_would_be_repeated_is_left_to_the_next_process)
{
    append_jobs(2);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    const auto report = worker.begin_drain();
    EXPECT_FALSE(report->has_value());
    worker.pushes.answer("o0", answer(-1));
    worker.pushes.answer("o1");
    time.settle();
    ASSERT_TRUE(report->has_value()) << "nothing is left to wait for";
    EXPECT_TRUE((*report)->clean());
    EXPECT_EQ(committed(), 0);
    auto& next = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(next.pushes.calls, SizeIs(1));
    EXPECT_EQ(committed(), 2);
}

TEST_F(draining, what_takes_too_long_is_cut_short_and_the_rest_is_committed)
{
    append_jobs(3);
    auto& worker = start();
    worker.pushes.latency = [](const auto& call) { return call.touser == "o1" ? hours{1} : hours{0}; };
    worker.source.assign(0);
    time.settle();
    const auto before = time.now();
    const auto report = worker.drain(seconds{20});
    EXPECT_EQ(report.cut_short, 1U);
    EXPECT_TRUE(report.committed);
    EXPECT_FALSE(report.clean());
    EXPECT_LE(time.now() - before, seconds{20});
    EXPECT_EQ(committed(), 1);
    auto& next = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(next.pushes.calls, SizeIs(1)) << "only the one that was cut short";
}

TEST_F(draining, without_kafka_it_ends_at_the_limit_and_says_so)
{
    append_jobs(3);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto report = worker.drain(seconds{20});
    EXPECT_EQ(report.cut_short, 0U);
    EXPECT_FALSE(report.committed);
}

TEST_F(draining, a_commit_that_the_broker_refuses_is_not_passed_over)
{
    append_jobs(1);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto report = worker.begin_drain();
    worker.source.answer_commit(engine::commit_result::rejected);
    time.settle();
    ASSERT_TRUE(report->has_value()) << "there is nothing to wait for";
    EXPECT_FALSE((*report)->clean()) << "the job will be sent again";
}

TEST_F(draining, jobs_that_wait_are_neither_sent_nor_committed)
{
    append(job_text("j1").with("not_before", '"' + format_rfc3339(time.wall_now() + hours{5}) + '"'));
    append_jobs(2);
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_TRUE(worker.drain().clean());
    EXPECT_EQ(committed(), 0);
    auto& next = start_with_partition();
    time.advance(hours{6});
    EXPECT_THAT(next.pushes.calls, SizeIs(1));
    EXPECT_EQ(committed(), 3);
}

TEST_F(draining, nothing_is_read_any_more)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    append_jobs(1);
    worker.source.tell_of_records();
    time.settle();
    const auto report = worker.begin_drain();
    append(job_text("late"));
    worker.source.tell_of_records();
    worker.source.assign(1);
    time.advance(seconds{1});
    worker.pushes.answer_all();
    time.settle();
    ASSERT_TRUE(report->has_value());
    EXPECT_EQ(worker.source.polled, 1U);
    EXPECT_EQ(committed(), 1);
}

TEST_F(draining, a_revocation_meanwhile_is_answered)
{
    append_jobs(1);
    const auto [worker, partition] = start_held();
    const auto report = worker.begin_drain();
    worker.source.revoke({partition});
    time.advance(seconds{1});
    worker.pushes.answer_all();
    time.settle();
    EXPECT_THAT(worker.source.released, SizeIs(1));
    EXPECT_TRUE(report->has_value());
    EXPECT_EQ(committed(), 1);
}

TEST_F(draining, an_app_without_a_token_does_not_hold_it_up)
{
    append_jobs(3);
    auto& worker = start([](auto& each) { each.tokens.hold = true; });
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto before = time.now();
    EXPECT_TRUE(worker.drain().clean());
    EXPECT_EQ(time.now(), before);
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
}

} // namespace
} // namespace wxcourier::test
