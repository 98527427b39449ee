// SPDX-License-Identifier: Apache-2.0
// Statuses wait a moment for others, so that Kafka has fewer requests, and hold nothing up.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using testing::IsEmpty;
using testing::SizeIs;

class gathered_statuses : public courier_test {
protected:
    gathered_statuses() { options.gather_statuses = milliseconds{25}; }
};

TEST_F(gathered_statuses, are_written_together_in_time)
{
    append_jobs(3);
    auto& worker = start_with_partition();
    time.advance(milliseconds{24});
    ASSERT_THAT(worker.pushes.calls, SizeIs(3));
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), IsEmpty());
    EXPECT_LE(committed(), 0) << "no offset finishes before its status stands";
    time.advance(milliseconds{1});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(3));
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 3);
    append(job_text("later").to("o-later"));
    worker.source.tell_of_records();
    time.advance(milliseconds{24});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(3));
    time.advance(milliseconds{1});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(4));
}

TEST_F(gathered_statuses, do_not_wait_while_sends_may_soon_be_held_back)
{
    for (auto& app : options.apps)
        app.limits.concurrency = 4;
    append_jobs(100);
    auto& worker = start_with_partition();
    const auto most = engine::in_flight_limit(options);
    ASSERT_LT(most, 100U);
    EXPECT_GE(worker.publisher.statuses(job_state::sent).size(), most) << "at the moment they ended";
    time.advance(seconds{1});
    EXPECT_EQ(outcomes().size(), 100U);
}

TEST_F(gathered_statuses, are_written_at_once_when_the_process_is_to_end)
{
    append_jobs(3);
    auto& worker = start_with_partition();
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), IsEmpty());
    const auto before = time.now();
    EXPECT_TRUE(worker.drain().clean());
    EXPECT_EQ(time.now(), before);
    EXPECT_EQ(outcomes().size(), 3U);
    EXPECT_EQ(committed(), 3);
}

TEST_F(gathered_statuses, are_written_at_once_when_their_partition_goes)
{
    append_jobs(4);
    const auto [worker, partition] = start_held();
    worker.pushes.answer("o0");
    time.settle();
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), IsEmpty());
    worker.source.revoke({partition});
    time.settle();
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    worker.pushes.answer("o1");
    time.settle();
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(2)) << "its next owner waits for it";
}

TEST_F(gathered_statuses, do_not_hold_up_the_next_job_of_a_key)
{
    options.ordered_by_key = true;
    append_jobs(3); // with one key
    const auto before = time.now();
    auto& worker = start_with_partition();
    worker.source.tell_of_records();
    time.settle();
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    EXPECT_EQ(time.now(), before);
}

TEST_F(gathered_statuses, are_no_more_than_some_hundred)
{
    options.dry_run = true; // nothing is under way or at risk
    append_jobs(300);
    auto& worker = start_with_partition();
    EXPECT_THAT(worker.publisher.statuses(job_state::simulated), SizeIs(256));
    time.advance(milliseconds{25});
    EXPECT_THAT(worker.publisher.statuses(job_state::simulated), SizeIs(300));
}

} // namespace
} // namespace wxcourier::test
