// SPDX-License-Identifier: Apache-2.0
// Partitions that come, go and are lost while messages are under way.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class rebalance : public courier_test {
protected:
    void append_jobs(int count, std::int32_t partition = 0)
    {
        for (int i = 0; i < count; ++i) {
            const auto name = std::to_string(partition) + "-" + std::to_string(i);
            append(job_text("j" + name).to("o" + name), partition);
        }
    }
};

TEST_F(rebalance, a_partition_that_goes_is_drained_committed_and_then_released)
{
    append_jobs(4);
    options.apps[0].limits.concurrency = 2;
    const auto [worker, partition] = start_held();
    ASSERT_EQ(worker.pushes.pending(), 2U);
    worker.source.revoke({partition});
    time.advance(seconds{3});
    EXPECT_THAT(worker.source.released, IsEmpty()) << "two are under way";
    worker.pushes.answer("o0-0");
    worker.pushes.answer("o0-1");
    time.settle();
    EXPECT_THAT(worker.source.released, ElementsAre(partition));
    EXPECT_EQ(committed(), 2);
    EXPECT_THAT(worker.pushes.calls, SizeIs(2)) << "what was not under way is left to the next owner";
}

TEST_F(rebalance, a_message_that_needs_another_attempt_does_not_hold_the_partition)
{
    append_jobs(1);
    const auto [worker, partition] = start_held();
    worker.source.revoke({partition});
    time.settle();
    worker.pushes.answer("o0-0", answer(-1));
    time.settle();
    EXPECT_THAT(worker.source.released, ElementsAre(partition)) << "no need to wait for the limit";
}

TEST_F(rebalance, a_partition_is_given_up_at_the_limit)
{
    append_jobs(1);
    const auto [worker, partition] = start_held();
    worker.source.revoke({partition});
    time.advance(options.revoke_timeout - milliseconds{1});
    EXPECT_THAT(worker.source.released, IsEmpty());
    time.advance(milliseconds{1});
    EXPECT_THAT(worker.source.released, ElementsAre(partition));
}

TEST_F(rebalance, a_late_completion_is_reported_and_touches_no_offset)
{
    append_jobs(1);
    auto& worker = start();
    worker.pushes.hold = true;
    const auto first = worker.source.assign(0);
    time.settle();
    worker.source.revoke({first});
    time.advance(options.revoke_timeout);
    const auto second = worker.source.assign(0); // it comes back at once
    time.settle();
    ASSERT_NE(first, second);
    ASSERT_EQ(worker.pushes.pending(), 1U) << "a recipient has one request at a time";
    worker.pushes.answer_one(accepted()); // the old one
    time.settle();
    ASSERT_EQ(worker.pushes.pending(), 1U) << "and now the new one";
    time.advance(seconds{1});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    EXPECT_EQ(committed(), -1) << "the record is unfinished in the assignment that lives";
    worker.pushes.answer_one(accepted());
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 1);
    for (const auto& call : worker.source.commits)
        for (const auto& each : call.offsets)
            EXPECT_EQ(each.assignment, second);
}

TEST_F(rebalance, nothing_is_committed_for_a_lost_partition)
{
    append_jobs(3);
    const auto [worker, partition] = start_held();
    worker.pushes.answer("o0-0");
    worker.source.lose({partition});
    time.settle();
    worker.pushes.answer("o0-1");
    worker.pushes.answer("o0-2", answer(43101));
    time.advance(seconds{5});
    EXPECT_THAT(worker.source.commits, IsEmpty());
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(2)) << "what came of them is told all the same";
    EXPECT_THAT(worker.publisher.statuses(job_state::failed), SizeIs(1));
}

TEST_F(rebalance, waiting_messages_of_a_lost_partition_are_let_go)
{
    append_jobs(50);
    options.apps[0].limits.concurrency = 1;
    const auto [worker, partition] = start_held();
    worker.source.lose({partition});
    time.settle();
    worker.pushes.hold = false;
    worker.pushes.answer_one();
    time.advance(seconds{60});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
}

TEST_F(rebalance, partitions_that_stay_keep_working)
{
    append_jobs(3, 0);
    append_jobs(3, 1);
    auto& worker = start();
    worker.pushes.hold = true;
    const auto goes = worker.source.assign(0);
    worker.source.assign(1);
    time.settle();
    worker.source.revoke({goes});
    time.settle();
    worker.pushes.answer("o1-0");
    append(job_text("more").to("more"), 1);
    worker.source.tell_of_records();
    time.advance(seconds{1});
    EXPECT_EQ(committed(1), 1);
    EXPECT_EQ(worker.pushes.sends_to("more"), 1U);
    EXPECT_THAT(worker.source.released, IsEmpty());
}

TEST_F(rebalance, the_next_owner_goes_on_where_the_last_one_ended)
{
    append_jobs(10);
    options.apps[0].limits.concurrency = 3;
    auto& first = start();
    first.pushes.hold = true;
    const auto partition = first.source.assign(0);
    time.settle();
    first.pushes.answer("o0-1");
    first.pushes.answer("o0-2");
    first.source.revoke({partition});
    time.settle();
    while (first.pushes.pending() > 0)
        first.pushes.answer_one(accepted());
    time.settle();
    ASSERT_THAT(first.source.released, SizeIs(1));
    auto& second = start_with_partition();
    time.advance(seconds{1});
    EXPECT_EQ(outcomes().size(), 10U) << "outcomes() fails where one was sent twice";
    EXPECT_EQ(first.pushes.calls.size() + second.pushes.calls.size(), 10U);
    EXPECT_EQ(committed(), 10);
}

TEST_F(rebalance, a_refused_commit_does_not_hold_the_partition)
{
    append_jobs(1);
    auto& worker = start();
    worker.source.hold_commits = true;
    const auto partition = worker.source.assign(0);
    time.advance(seconds{1});
    worker.source.revoke({partition});
    time.settle();
    worker.source.answer_commit(engine::commit_result::rejected);
    time.settle();
    EXPECT_THAT(worker.source.released, ElementsAre(partition));
}

TEST_F(rebalance, losing_a_partition_that_is_being_revoked_ends_in_peace)
{
    append_jobs(2);
    const auto [worker, partition] = start_held();
    worker.source.revoke({partition});
    time.advance(seconds{1});
    worker.source.lose({partition});
    time.advance(seconds{30});
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_THAT(worker.failures, IsEmpty());
    EXPECT_THAT(worker.source.commits, IsEmpty());
}

TEST_F(rebalance, a_fenced_consumer_ends_the_process)
{
    auto& worker = start_with_partition();
    worker.source.fail("fenced");
    time.settle();
    EXPECT_THAT(worker.failures, ElementsAre("fenced"));
}

} // namespace
} // namespace wxcourier::test
