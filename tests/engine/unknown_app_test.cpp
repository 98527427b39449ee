// SPDX-License-Identifier: Apache-2.0
// A job of an app that this replica does not know yet waits for the configuration, and holds up nobody.
#include "codec/offset_metadata_codec.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::minutes;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class unknown_app : public courier_test {
protected:
    [[nodiscard]] engine::app_options another(const std::string& name) const
    {
        auto app = options.apps[0];
        app.name = name;
        app.appid = "wx-" + name;
        return app;
    }
    void take(replica& worker, const job_text& job)
    {
        append(job);
        worker.source.tell_of_records();
        time.settle();
    }
    static std::vector<std::string> rejected(const replica& worker)
    {
        std::vector<std::string> ids;
        for (const auto& each : worker.publisher.statuses(job_state::rejected))
            ids.push_back(each.id.value_or("(null)"));
        return ids;
    }
};

TEST_F(unknown_app, a_job_is_sent_once_its_app_is_known)
{
    auto& worker = start_with_partition();
    take(worker, job_text("j1").app("new").to("o1"));
    time.advance(seconds{58});
    EXPECT_THAT(worker.publisher.statuses(job_state::rejected), IsEmpty());
    worker.courier->add_app(another("new"), nullptr);
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
    EXPECT_EQ(committed(), 1);
}

TEST_F(unknown_app, after_a_minute_it_is_rejected)
{
    auto& worker = start_with_partition();
    take(worker, job_text("j1").app("new").to("o1"));
    time.advance(seconds{59});
    EXPECT_THAT(rejected(worker), IsEmpty());
    time.advance(seconds{2});
    ASSERT_THAT(rejected(worker), ElementsAre("j1"));
    EXPECT_EQ(worker.publisher.statuses(job_state::rejected).at(0).reason, "unknown_app");
    EXPECT_EQ(committed(), 1);
    take(worker, job_text("j2").app("new").to("o2"));
    EXPECT_THAT(rejected(worker), ElementsAre("j1", "j2")) << "the minute is the app's and not the job's";
}

TEST_F(unknown_app, commits_do_not_forget_how_far_another_replica_had_come_with_it)
{
    append(job_text("j1").app("new").recipients(3));
    append(job_text("j2"));
    domain::commit_progress before;
    before.partial = domain::partial_job{.offset = 0, .finished = {{0, 1}}, .failed = {}};
    log.partitions[0].committed = stored_commit{0, codec::encode_offset_metadata(0, before)};
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1)) << "j2";
    const auto stored = codec::decode_offset_metadata(0, log.partitions[0].committed->metadata);
    ASSERT_TRUE(stored && stored->partial);
    EXPECT_EQ(stored->partial->finished, before.partial->finished);
    worker.courier->add_app(another("new"), nullptr);
    time.advance(seconds{2});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(2)) << "and the third of j1";
    EXPECT_EQ(committed(), 2);
}

TEST_F(unknown_app, nobody_is_held_up_by_it)
{
    auto& worker = start_with_partition();
    for (int i = 0; i < 50; ++i) {
        take(worker, job_text("u" + std::to_string(i)).app("new"));
        take(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    }
    EXPECT_THAT(outcomes(), SizeIs(50)) << "without any time passing";
    EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
    EXPECT_EQ(committed(), -1);
    worker.courier->add_app(another("new"), nullptr);
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), SizeIs(100));
    EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
    EXPECT_EQ(committed(), 100);
}

TEST_F(unknown_app, more_than_there_is_room_for_is_rejected_at_once)
{
    auto& worker = start_with_partition();
    for (std::size_t i = 0; i < engine::unknown_app_room::most_of_a_partition + 5; ++i)
        append(job_text("u" + std::to_string(i)).app("new"));
    append(job_text("j").to("o"));
    worker.source.tell_of_records();
    time.settle();
    EXPECT_THAT(rejected(worker), SizeIs(5));
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    EXPECT_EQ(worker.metrics["wxcourier_unknown_app_waiting"].with().value(), 200);
}

TEST_F(unknown_app, jobs_with_recipients_begin_one_after_another)
{
    auto& worker = start_with_partition();
    for (const auto* const name : {"a", "b", "c"})
        take(worker, job_text(name).app("new").recipients(20, name));
    worker.courier->add_app(another("new"), nullptr);
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), SizeIs(60));
    EXPECT_EQ(committed(), 3);
}

TEST_F(unknown_app, a_partition_that_goes_takes_its_jobs_along)
{
    auto& worker = start();
    append(job_text("j1").app("new").to("o1"));
    const auto id = worker.source.assign(0);
    time.settle();
    worker.source.revoke({id});
    time.advance(seconds{1});
    EXPECT_EQ(worker.source.released.count(id), 1U) << "without waiting for it";
    worker.courier->add_app(another("new"), nullptr);
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), IsEmpty());
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(unknown_app, a_drain_leaves_it_to_the_next_owner)
{
    auto& worker = start_with_partition();
    take(worker, job_text("j1").app("new").to("o1"));
    EXPECT_TRUE(worker.drain().clean());
    options.apps.push_back(another("new"));
    start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(unknown_app, a_job_of_a_removed_app_waits_too)
{
    auto& worker = start_with_partition();
    worker.courier->remove_app(1);
    take(worker, job_text("j1").app("game").to("o1"));
    time.advance(seconds{30});
    EXPECT_THAT(rejected(worker), IsEmpty());
    worker.courier->add_app(options.apps[1], nullptr);
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(unknown_app, it_is_the_oldest_unfinished_job)
{
    auto& worker = start_with_partition();
    take(worker, job_text("j1").app("new").to("o1"));
    time.advance(seconds{30});
    worker.metrics.refresh();
    EXPECT_EQ(worker.metrics["wxcourier_partition_oldest_unfinished_seconds"].with({"push.jobs", "0"}).value(), 30);
}

} // namespace
} // namespace wxcourier::test
