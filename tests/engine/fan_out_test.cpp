// SPDX-License-Identifier: Apache-2.0
// Jobs with recipients: one message each, a window of them at a time, one dead letter at the end.
#include "codec/offset_metadata_codec.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class fan_out : public courier_test {
protected:
    domain::commit_progress progress()
    {
        const auto& commit = *log.partitions[0].committed;
        return codec::decode_offset_metadata(commit.next_offset, commit.metadata).value();
    }
};

TEST_F(fan_out, sends_one_message_to_each_recipient_and_commits_when_all_are_reported)
{
    append(job_text("j1").recipients(1000));
    auto& worker = start_with_partition();
    time.advance(seconds{5});
    EXPECT_EQ(outcomes().size(), 1000U);
    EXPECT_EQ(worker.pushes.calls.size(), 1000U);
    EXPECT_EQ(committed(), 1);
    EXPECT_EQ(log.partitions[0].committed->metadata, "");
}

TEST_F(fan_out, a_single_recipient_in_a_list_is_a_job_with_recipients)
{
    append(job_text("j1").recipients(1));
    auto& worker = start([](auto& each) { each.pushes.reply_to("o0", {answer(43101)}); });
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_EQ(headers_of(worker.publisher.on("push.dead").at(0)).at("wxcourier.recipients"), "0");
}

TEST_F(fan_out, keeps_a_window_of_messages_in_memory)
{
    options.admission.fan_out_window = 100;
    options.apps[0].limits.concurrency = 1000;
    append(job_text("j1").recipients(10'000));
    auto& worker = start();
    worker.pushes.latency = [](const auto&) { return milliseconds{100}; };
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_EQ(worker.pushes.most_at_once, 100U);
    EXPECT_EQ(outcomes().size(), 10'000U);
}

TEST_F(fan_out, does_not_run_far_ahead_of_its_first_unfinished_recipient)
{
    options.admission.fan_out_window = 100;
    options.admission.fan_out_span = 300;
    append(job_text("j1").recipients(1000));
    auto& worker = start();
    worker.pushes.latency = [](const auto& call) {
        return call.touser == "o0" ? steady_duration(minutes{10}) : steady_duration(milliseconds{1});
    };
    worker.source.assign(0);
    time.advance(minutes{5});
    EXPECT_EQ(worker.pushes.calls.size(), 300U);
    time.advance(minutes{6});
    EXPECT_EQ(outcomes().size(), 1000U);
}

TEST_F(fan_out, several_jobs_with_recipients_at_once_in_a_partition)
{
    append(job_text("j1").recipients(5, "a"));
    append(job_text("j2").recipients(5, "b"));
    append(job_text("j3").to("single"));
    append(job_text("j4").recipients(5, "c"), 1);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    worker.source.assign(1);
    time.settle();
    EXPECT_EQ(worker.pushes.pending(), 16U);
    for (const auto* const openid : {"a1", "b2", "b3"})
        worker.pushes.answer(openid);
    time.advance(seconds{1});
    EXPECT_EQ(progress().partial->finished, (std::vector<domain::index_range>{{1, 1}}));
    ASSERT_THAT(progress().further, SizeIs(1));
    EXPECT_EQ(progress().further[0].offset, 1);
    EXPECT_EQ(progress().further[0].finished, (std::vector<domain::index_range>{{2, 3}}));
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_EQ(committed(0), 3);
    EXPECT_EQ(committed(1), 1);
}

TEST_F(fan_out, a_restart_goes_on_with_each_of_several)
{
    append(job_text("j1").recipients(5, "a"));
    append(job_text("j2").recipients(5, "b"));
    auto& first = start();
    first.pushes.hold = true;
    first.source.assign(0);
    time.settle();
    for (const auto* const openid : {"a1", "b2", "b3"})
        first.pushes.answer(openid);
    time.advance(seconds{1});
    first.crash();
    auto& second = start_with_partition();
    time.advance(seconds{1});
    EXPECT_EQ(second.pushes.calls.size(), 7U);
    EXPECT_EQ(second.pushes.sends_to("a1") + second.pushes.sends_to("b2") + second.pushes.sends_to("b3"), 0U);
    EXPECT_EQ(committed(), 2);
}

TEST_F(fan_out, as_many_at_once_as_a_commit_can_tell_of)
{
    options.apps[0].limits.concurrency = 100'000;
    for (int i = 0; i < 4; ++i)
        append(job_text("j" + std::to_string(i)).recipients(10'000, std::string(1, static_cast<char>('a' + i))));
    append(job_text("last").to("behind"));
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    EXPECT_EQ(worker.pushes.pending(), 2 * 256U);
    worker.pushes.hold = false;
    worker.pushes.answer_all();
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().size(), 40'001U) << "and the others after them";
}

TEST_F(fan_out, single_messages_before_it_do_not_wait_for_it)
{
    append(job_text("j1").to("single"));
    append(job_text("j2").recipients(50));
    append(job_text("j3").to("behind"));
    auto& worker = start();
    worker.pushes.latency = [](const auto& call) {
        return call.touser == "o7" ? steady_duration(minutes{2}) : steady_duration{0};
    };
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_EQ(outcomes().at("single"), "sent");
    EXPECT_EQ(outcomes().at("behind"), "sent") << "one message jobs behind it go on";
    EXPECT_EQ(committed(), 1);
}

TEST_F(fan_out, its_progress_travels_with_the_commits)
{
    append(job_text("j1").recipients(10));
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    for (const auto* const openid : {"o0", "o1", "o5"})
        worker.pushes.answer(openid);
    worker.pushes.answer("o7", answer(43101));
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 0);
    ASSERT_TRUE(progress().partial);
    EXPECT_EQ(progress().partial->offset, 0);
    EXPECT_THAT(progress().partial->finished,
                ElementsAre(domain::index_range{0, 1}, domain::index_range{5, 5}, domain::index_range{7, 7}));
    EXPECT_THAT(progress().partial->failed, ElementsAre(domain::index_range{7, 7}));
}

TEST_F(fan_out, a_restart_half_way_sends_only_the_rest)
{
    append(job_text("j1").recipients(2000));
    auto& first = start();
    first.pushes.latency = [](const auto& call) {
        return milliseconds{5 + std::hash<std::string>{}(call.touser) % 50};
    };
    first.source.assign(0);
    time.advance_until([&] { return first.pushes.calls.size() > 1000; }, minutes{1});
    first.source.hold_commits = true; // the last commit's answer does not matter, its coming does
    time.advance(seconds{1});
    const auto sent_before = first.pushes.calls;
    first.crash();
    auto& second = start_with_partition();
    time.advance(seconds{10});
    std::size_t repeats = 0;
    for (const auto& call : sent_before)
        repeats += second.pushes.sends_to(call.touser);
    EXPECT_LE(repeats, 1024U) << "twice what may be in flight";
    EXPECT_EQ(committed(), 1);
    std::set<std::string> reached;
    for (const auto& each : replicas)
        for (const auto& call : each->pushes.calls)
            reached.insert(call.touser);
    EXPECT_EQ(reached.size(), 2000U);
}

TEST_F(fan_out, a_clean_restart_half_way_repeats_nothing)
{
    append(job_text("j1").recipients(2000));
    auto& first = start();
    first.pushes.latency = [](const auto&) { return milliseconds{20}; };
    first.source.assign(0);
    time.advance_until([&] { return first.pushes.calls.size() > 1000; }, minutes{1});
    EXPECT_TRUE(first.drain().clean());
    auto& second = start_with_partition();
    time.advance(seconds{10});
    EXPECT_EQ(first.pushes.calls.size() + second.pushes.calls.size(), 2000U);
    EXPECT_EQ(outcomes().size(), 2000U);
    EXPECT_EQ(committed(), 1);
}

TEST_F(fan_out, one_dead_letter_names_the_failed_recipients_and_the_most_frequent_reason)
{
    append(job_text("j1").recipients(20));
    auto& worker = start([](auto& each) {
        for (const auto* const openid : {"o2", "o3", "o4", "o11"})
            each.pushes.reply_to(openid, {answer(43101, "refused")});
        for (const auto* const openid : {"o7", "o8"})
            each.pushes.reply_to(openid, {answer(40003, "invalid openid")});
    });
    worker.source.assign(0);
    time.advance(seconds{1});
    ASSERT_THAT(worker.publisher.on("push.dead"), SizeIs(1));
    const auto headers = headers_of(worker.publisher.on("push.dead")[0]);
    EXPECT_EQ(headers.at("wxcourier.recipients"), "2-4,7-8,11");
    EXPECT_EQ(headers.at("wxcourier.reason"), "refused_by_user");
    EXPECT_EQ(headers.at("wxcourier.state"), "failed");
    EXPECT_EQ(worker.publisher.statuses(job_state::failed).size(), 6U);
    EXPECT_EQ(committed(), 1);
}

TEST_F(fan_out, the_dead_letter_also_names_those_who_failed_before_a_restart)
{
    append(job_text("j1").recipients(10));
    auto& first = start();
    first.pushes.hold = true;
    first.source.assign(0);
    time.settle();
    first.pushes.answer("o1", answer(40003));
    first.pushes.answer("o2", answer(40003));
    first.pushes.answer("o3");
    time.advance(seconds{1});
    first.crash();
    auto& second = start([](auto& each) { each.pushes.reply_to("o9", {answer(43101)}); });
    second.source.assign(0);
    time.advance(seconds{1});
    ASSERT_THAT(second.publisher.on("push.dead"), SizeIs(1));
    const auto headers = headers_of(second.publisher.on("push.dead")[0]);
    EXPECT_EQ(headers.at("wxcourier.recipients"), "1-2,9");
    EXPECT_EQ(headers.at("wxcourier.reason"), "invalid_recipient") << "two of three";
}

TEST_F(fan_out, a_crash_between_the_last_status_and_the_dead_letter_loses_no_letter)
{
    append(job_text("j1").recipients(3));
    auto& first = start([](auto& each) {
        for (const auto* const openid : {"o0", "o1", "o2"})
            each.pushes.reply_to(openid, {answer(43101)});
    });
    first.publisher.hold = true;
    first.source.assign(0);
    time.settle();
    for (int i = 0; i < 3; ++i)
        first.publisher.acknowledge_one();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 0);
    first.crash();
    auto& second = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(second.pushes.calls, IsEmpty());
    ASSERT_THAT(second.publisher.on("push.dead"), SizeIs(1));
    EXPECT_EQ(headers_of(second.publisher.on("push.dead")[0]).at("wxcourier.recipients"), "0-2");
    EXPECT_EQ(headers_of(second.publisher.on("push.dead")[0]).at("wxcourier.reason"), "refused_by_user");
    EXPECT_EQ(committed(), 1);
}

TEST_F(fan_out, metadata_that_names_recipients_the_job_has_not_does_not_end_it)
{
    append(job_text("j1").recipients(3));
    domain::commit_progress wrong;
    wrong.partial = domain::partial_job{.offset = 0, .finished = {{5, 7}}, .failed = {}};
    log.partitions[0].committed = stored_commit{0, codec::encode_offset_metadata(0, wrong)};
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(3));
    EXPECT_EQ(committed(), 1);
}

TEST_F(fan_out, expires_recipient_by_recipient)
{
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    append(job_text("j1").recipients(1000).with(
        "expire_at", std::to_string((time.wall_now() + seconds{20}).time_since_epoch().count())));
    auto& worker = start_with_partition();
    time.advance(seconds{25});
    EXPECT_EQ(outcomes().size(), 1000U);
    EXPECT_NEAR(static_cast<double>(worker.publisher.statuses(job_state::sent).size()), 200, 2);
    EXPECT_THAT(worker.publisher.on("push.dead"), IsEmpty());
    EXPECT_EQ(committed(), 1);
}

} // namespace
} // namespace wxcourier::test
