// SPDX-License-Identifier: Apache-2.0
// Which offsets are committed, when, and what a restart makes of them.
#include "codec/offset_metadata_codec.hpp"
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

#include <random>

namespace wxcourier::test {
namespace {

using engine::commit_result;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class commits : public courier_test {
protected:
    domain::commit_progress progress()
    {
        const auto& commit = *log.partitions[0].committed;
        return codec::decode_offset_metadata(commit.next_offset, commit.metadata).value();
    }
};

TEST_F(commits, cover_the_contiguous_prefix_and_carry_the_rest)
{
    append_jobs(6);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    for (const auto* const openid : {"o1", "o2", "o5"})
        worker.pushes.answer(openid);
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 0);
    EXPECT_THAT(progress().finished, ElementsAre(domain::index_range{1, 2}, domain::index_range{5, 5}));
    worker.pushes.answer("o0");
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 3);
    EXPECT_THAT(progress().finished, ElementsAre(domain::index_range{5, 5}));
}

TEST_F(commits, let_a_restart_send_only_what_had_not_finished)
{
    append_jobs(6);
    auto& first = start();
    first.pushes.hold = true;
    first.source.assign(0);
    time.settle();
    for (const auto* const openid : {"o1", "o2", "o5"})
        first.pushes.answer(openid);
    time.advance(seconds{1});
    first.crash();
    auto& second = start_with_partition();
    time.advance(seconds{1});
    for (int i = 0; i < 6; ++i)
        EXPECT_EQ(second.pushes.sends_to("o" + std::to_string(i)), i == 1 || i == 2 || i == 5 ? 0U : 1U) << i;
    EXPECT_EQ(committed(), 6);
    EXPECT_EQ(log.partitions[0].committed->metadata, "");
    EXPECT_EQ(outcomes().size(), 6U);
}

TEST_F(commits, behind_a_stuck_job_let_a_crash_repeat_only_what_finished_since_the_last_one)
{
    append_jobs(50'001);
    auto& first = start();
    first.pushes.latency = [](const auto& call) { return call.touser == "o0" ? minutes{60} : minutes{0}; };
    first.source.assign(0);
    ASSERT_TRUE(time.advance_until([&] { return first.publisher.stored.size() == 50'000; }, minutes{5}));
    time.advance(seconds{1});
    ASSERT_EQ(committed(), 0);
    EXPECT_THAT(progress().finished, ElementsAre(domain::index_range{1, 50'000}));
    first.source.hold_commits = true;
    append_jobs(10, 50'001);
    first.source.tell_of_records();
    time.advance(seconds{1});
    ASSERT_EQ(first.publisher.stored.size(), 50'010U);
    first.crash();

    auto& second = start_with_partition();
    time.advance(seconds{10});
    EXPECT_THAT(second.pushes.calls, SizeIs(11)) << "the stuck one, and ten that no commit knew";
    EXPECT_EQ(second.pushes.sends_to("o0"), 1U);
    EXPECT_EQ(committed(), 50'011);
}

TEST_F(commits, never_come_before_the_statuses_are_acknowledged)
{
    append_jobs(3);
    auto& worker = start();
    worker.publisher.hold = true;
    worker.source.assign(0);
    time.advance(minutes{5});
    EXPECT_THAT(worker.source.commits, IsEmpty());
    worker.publisher.acknowledge_one();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 1);
    worker.publisher.acknowledge_all();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 3);
}

TEST_F(commits, wait_for_the_interval_and_no_longer)
{
    append_jobs(3);
    auto& worker = start_with_partition();
    time.advance(milliseconds{24});
    EXPECT_THAT(worker.source.commits, IsEmpty());
    time.advance(milliseconds{1});
    EXPECT_THAT(worker.source.commits, SizeIs(1));
    EXPECT_EQ(committed(), 3);
    time.advance(minutes{5});
    EXPECT_THAT(worker.source.commits, SizeIs(1)) << "nothing new, no commit";
}

TEST_F(commits, come_sooner_when_as_many_have_finished_as_may_be_in_flight)
{
    options.commit_interval = seconds{10};
    for (auto& app : options.apps)
        app.limits.concurrency = 8;
    append_jobs(50);
    auto& worker = start_with_partition();
    time.advance(milliseconds{1});
    EXPECT_GE(committed(), 48 - 16);
    EXPECT_GE(worker.source.commits.size(), 2U);
    time.advance(seconds{10});
    EXPECT_EQ(committed(), 50);
}

TEST_F(commits, come_sooner_when_many_wait_for_one_before_they_move)
{
    options.delayed.topics = {{"push.delayed.1m", minutes{1}}};
    options.commit_interval = seconds{10};
    const auto later = '"' + format_rfc3339(time.wall_now() + minutes{30}) + '"';
    const auto append_waiting = [&](int count) {
        for (int i = 0; i < count; ++i)
            append(job_text("j" + std::to_string(log.partitions[0].next_offset)).with("not_before", later));
    };
    append_waiting(100);
    auto& worker = start_with_partition();
    time.advance(seconds{9});
    EXPECT_THAT(worker.source.commits, IsEmpty()) << "few can wait for the interval";
    time.advance(seconds{2});
    const auto commits = worker.source.commits.size();
    EXPECT_GE(commits, 1U);
    append_waiting(1000);
    worker.source.tell_of_records();
    time.advance(milliseconds{1});
    EXPECT_GT(worker.source.commits.size(), commits);
    EXPECT_THAT(worker.publisher.on("push.delayed.1m"), SizeIs(testing::Ge(600U)));
}

TEST_F(commits, come_at_once_when_a_partition_goes)
{
    options.commit_interval = seconds{10};
    append_jobs(3);
    auto& worker = start();
    const auto partition = worker.source.assign(0);
    time.settle();
    EXPECT_THAT(worker.source.commits, IsEmpty());
    worker.source.revoke({partition});
    time.settle();
    EXPECT_EQ(committed(), 3);
    EXPECT_THAT(worker.source.released, ElementsAre(partition));
}

TEST_F(commits, that_fail_are_tried_again)
{
    append_jobs(1);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    for (int i = 0; i < 5; ++i) {
        time.advance(seconds{1});
        ASSERT_THAT(worker.source.held, SizeIs(1));
        worker.source.answer_commit(commit_result::failed);
    }
    time.advance(seconds{1});
    worker.source.answer_commit();
    time.advance(minutes{1});
    EXPECT_EQ(committed(), 1);
    EXPECT_THAT(worker.source.held, IsEmpty());
}

TEST_F(commits, go_one_at_a_time)
{
    append_jobs(2);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    worker.pushes.answer("o0");
    time.advance(seconds{1});
    worker.pushes.answer("o1");
    time.advance(seconds{1});
    ASSERT_THAT(worker.source.held, SizeIs(1));
    worker.source.answer_commit();
    time.advance(seconds{1});
    ASSERT_THAT(worker.source.held, SizeIs(1));
    EXPECT_EQ(worker.source.held[0].offsets[0].next_offset, 2);
}

TEST_F(commits, that_are_too_large_go_without_metadata)
{
    append_jobs(3);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    worker.pushes.answer("o1");
    worker.pushes.answer("o0");
    worker.pushes.hold = true;
    time.advance(seconds{1});
    ASSERT_THAT(worker.source.held, SizeIs(1));
    worker.source.answer_commit(commit_result::metadata_too_large);
    time.advance(seconds{1});
    ASSERT_THAT(worker.source.held, SizeIs(1));
    EXPECT_EQ(worker.source.held[0].offsets[0].metadata, "");
    EXPECT_EQ(worker.source.held[0].offsets[0].next_offset, 2);
}

TEST_F(commits, go_on_where_foreign_metadata_stands)
{
    append_jobs(4);
    for (const auto* const metadata : {"somebody else's", "w9.or.AAAA", "w1.or.////////", "w1.or.%%%"}) {
        log.partitions[0].committed = stored_commit{2, metadata};
        auto& worker = start_with_partition();
        time.advance(seconds{1});
        EXPECT_EQ(worker.pushes.calls.size(), 2U) << metadata;
        EXPECT_EQ(worker.metrics["wxcourier_commit_metadata_ignored_total"].with().value(), 1) << metadata;
        worker.crash();
    }
}

/// Slow and fast jobs in no order: nothing makes the list of the finished ones short.
TEST_F(commits, stop_the_reading_before_the_metadata_is_full)
{
    constexpr std::size_t jobs = 30'000;
    std::mt19937 random(5);
    for (std::size_t i = 0; i < jobs; ++i)
        log.append(0, job_text("j").to((i == 0 || random() % 100 < 35 ? "slow" : "fast") + std::to_string(i)).json(),
                   time.wall_now());
    options.apps[0].limits.concurrency = 100'000;
    options.admission.bytes = 1'000'000'000;
    auto& worker = start();
    worker.pushes.latency = [](const auto& call) {
        return call.touser.starts_with("slow") ? steady_duration(seconds{40}) : steady_duration(milliseconds{1});
    };
    worker.source.assign(0);
    time.advance(seconds{30});
    EXPECT_LT(worker.source.polled, 26'000U) << "the partition waits";
    EXPECT_EQ(committed(), 0);
    EXPECT_GT(log.partitions[0].committed->metadata.size(), 3072U);
    EXPECT_LE(log.partitions[0].committed->metadata.size(), codec::longest_offset_metadata);
    const auto finished = progress().finished;
    std::size_t named = 0;
    for (const auto& range : finished)
        named += static_cast<std::size_t>(range.last - range.first + 1);
    EXPECT_EQ(named, worker.publisher.statuses().size()) << "and none of the finished ones was left out";
    time.advance(minutes{4});
    EXPECT_EQ(committed(), jobs) << "it goes on by itself";
}

/// Contract 7.1: after a crash, repeats are at most twice what was in flight.
TEST_F(commits, keep_the_repeats_after_a_crash_within_twice_what_may_be_in_flight)
{
    for (auto& app : options.apps)
        app.limits.concurrency = 4;
    options.commit_interval = seconds{5};
    append_jobs(400);
    for (const int turns : {0, 1, 3}) {
        auto& worker = start();
        worker.pushes.latency = [](const auto& call) {
            return milliseconds{3 + std::hash<std::string>{}(call.touser) % 20};
        };
        worker.source.hold_commits = true;
        worker.source.assign(0);
        for (int i = 0; i < turns; ++i) {
            time.advance(milliseconds{300});
            if (!worker.source.held.empty())
                worker.source.answer_commit();
        }
        time.advance(seconds{30}); // the broker does not answer any more
        const auto sent_before = worker.pushes.calls;
        worker.crash();
        std::size_t repeats = 0;
        auto& next = start_with_partition();
        time.advance(seconds{10});
        for (const auto& call : sent_before)
            repeats += next.pushes.sends_to(call.touser);
        EXPECT_LE(repeats, 16U) << "eight in flight at most, over both apps; turns " << turns;
        EXPECT_GE(repeats, 4U);
        next.crash();
        log.partitions[0].committed.reset();
    }
}

TEST_F(commits, hold_sends_back_while_kafka_takes_no_statuses)
{
    for (auto& app : options.apps)
        app.limits.concurrency = 4;
    append_jobs(400);
    auto& worker = start();
    worker.publisher.hold = true;
    worker.source.assign(0);
    time.advance(minutes{10});
    EXPECT_LE(worker.pushes.calls.size(), 16U);
    worker.publisher.hold = false;
    worker.publisher.acknowledge_all();
    time.advance(seconds{10});
    EXPECT_EQ(committed(), 400) << "and work goes on when it is back";
}

} // namespace
} // namespace wxcourier::test
