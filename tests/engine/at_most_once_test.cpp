// SPDX-License-Identifier: Apache-2.0
// `guarantee: at_most_once`: a job is committed before it is sent, and an unknown outcome is never sent again.
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class at_most_once : public courier_test {
protected:
    at_most_once() { options.delivery.at_most_once = true; }
};

TEST_F(at_most_once, nothing_is_sent_before_its_commit_is_acknowledged)
{
    append_jobs(3);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{5});
    ASSERT_THAT(worker.source.held, SizeIs(1));
    EXPECT_EQ(worker.source.held[0].offsets[0].next_offset, 3);
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_EQ(outcomes().size(), 3U);
    EXPECT_EQ(committed(), 3);
}

TEST_F(at_most_once, a_commit_that_fails_holds_its_jobs)
{
    append_jobs(1);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    worker.source.answer_commit(engine::commit_result::failed);
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
}

TEST_F(at_most_once, a_crash_at_any_moment_repeats_nothing)
{
    append_jobs(60);
    append(job_text("f").recipients(500, "f"));
    for (auto& app : options.apps)
        app.limits.concurrency = 8;
    for (int life = 0; life < 12; ++life) {
        auto& worker = start();
        worker.pushes.latency = [](const auto& call) {
            return milliseconds{std::hash<std::string>{}(call.touser) % 90};
        };
        worker.source.assign(0);
        time.advance(milliseconds{7 * life * life});
        worker.crash();
    }
    auto& last = start_with_partition();
    time.advance(minutes{1});
    static_cast<void>(last);
    std::map<std::string, int> sends;
    for (const auto& each : replicas)
        for (const auto& call : each->pushes.calls)
            ++sends[call.touser];
    for (const auto& [touser, count] : sends)
        EXPECT_EQ(count, 1) << touser;
    EXPECT_EQ(committed(), 61);
}

TEST_F(at_most_once, an_unknown_outcome_is_reported_and_never_sent_again)
{
    append_jobs(1);
    auto& worker = start([](auto& each) { each.pushes.reply_to("o0", {no_answer()}); });
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o0", "failed/outcome_unknown")));
}

TEST_F(at_most_once, what_certainly_did_not_arrive_is_tried_again)
{
    append_jobs(1);
    auto& worker = start([](auto& each) { each.pushes.reply_to("o0", {no_connection(), answer(-1), answer(40001)}); });
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(4));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o0", "sent")));
}

TEST_F(at_most_once, jobs_of_a_lost_partition_whose_commit_never_came_are_not_sent)
{
    append_jobs(3);
    auto& worker = start();
    worker.source.hold_commits = true;
    const auto partition = worker.source.assign(0);
    time.advance(seconds{1});
    worker.source.lose({partition});
    time.settle();
    worker.source.answer_commit();
    time.advance(minutes{1});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    auto& next = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(next.pushes.calls, SizeIs(3));
}

TEST_F(at_most_once, a_clean_restart_loses_nothing)
{
    options.apps[0].limits.concurrency = 2;
    append_jobs(40);
    append(job_text("f").recipients(50, "f"));
    for (int life = 0; life < 3; ++life) {
        auto& worker = start();
        worker.pushes.latency = [](const auto&) { return milliseconds{20}; };
        worker.source.assign(0);
        time.advance(milliseconds{120});
        EXPECT_TRUE(worker.drain().clean());
    }
    start_with_partition();
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().size(), 90U) << "what was committed is also sent";
}

TEST_F(at_most_once, a_committed_job_that_waits_for_another_attempt_is_told_of_when_the_process_stops)
{
    append_jobs(2);
    options.delivery.retry.initial = milliseconds{60'000};
    auto& worker = start([](auto& each) { each.pushes.reply_to("o0", {answer(-1, "system busy")}); });
    worker.source.assign(0);
    time.advance(milliseconds{100});
    ASSERT_EQ(committed(), 2);
    ASSERT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
    EXPECT_TRUE(worker.drain().clean());
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o0", "failed/retries_exhausted"), Pair("o1", "sent")));
    EXPECT_THAT(worker.publisher.on("push.dead"), SizeIs(1)) << "`replay` can send it";
}

TEST_F(at_most_once, what_one_commit_lets_go_keeps_the_rate)
{
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    append_jobs(30);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{2});
    for (int answered = 0; answered < 5; ++answered) { // a commit for all of the first two seconds
        if (!worker.source.held.empty())               // nothing more is committed while so much waits for its permit
            worker.source.answer_commit();
        time.advance(milliseconds{300});
    }
    const auto& calls = worker.pushes.calls;
    ASSERT_GE(calls.size(), 10U);
    for (std::size_t i = 1; i < calls.size(); ++i)
        EXPECT_GE(calls[i].at - calls[i - 1].at, milliseconds{100});
}

TEST_F(at_most_once, a_drain_leaves_nobody_behind_who_waits_for_a_permit)
{
    options.apps[0].limits.rate_per_second = 1;
    options.apps[0].limits.burst = 1;
    append_jobs(40);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{30});
    worker.source.answer_commit();
    time.advance(milliseconds{100});
    worker.source.answer_commit();
    time.settle();
    ASSERT_EQ(committed(), 31);
    const auto report = worker.drain(seconds{8}); // fails the test when it leaves coroutines behind
    EXPECT_GT(report.cut_short, 0U) << "what was committed and not sent is not passed over";
}

TEST_F(at_most_once, a_broker_that_keeps_too_little_metadata_makes_it_wait_and_forget_nothing)
{
    auto& worker = start();
    worker.source.hold_commits = true;
    append(job_text("first").with("not_before", '"' + format_rfc3339(time.wall_now() + minutes{10}) + '"'), 1);
    append(job_text("f").recipients(3, "f"), 1);
    worker.source.assign(1);
    time.advance(seconds{1});
    for (int tries = 0; tries < 5; ++tries) {
        ASSERT_THAT(worker.source.held, SizeIs(1));
        EXPECT_NE(worker.source.held[0].offsets[0].metadata, "");
        worker.source.answer_commit(engine::commit_result::metadata_too_large);
        time.advance(seconds{1});
    }
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(3)) << "the broker was told to keep more";
}

TEST_F(at_most_once, a_rejected_job_is_reported_as_ever)
{
    log.append(0, "no job", time.wall_now());
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(worker.publisher.statuses(), SizeIs(1));
    EXPECT_THAT(worker.publisher.on("push.dead"), SizeIs(1));
    EXPECT_EQ(committed(), 1);
}

} // namespace
} // namespace wxcourier::test
