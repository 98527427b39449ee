// SPDX-License-Identifier: Apache-2.0
// Jobs that wait on the delayed topics: they go, come back on time, and are sent once.
#include "codec/offset_metadata_codec.hpp"
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class delayed : public courier_test {
protected:
    delayed()
    {
        options.delayed.topics = {
            {"push.delayed.1m", minutes{1}}, {"push.delayed.10m", minutes{10}}, {"push.delayed.1h", hours{1}}};
    }

    static std::string at(wall_time when) { return '"' + format_rfc3339(when) + '"'; }

    /// Records of all delayed topics that the group has not finished.
    std::size_t waiting_there()
    {
        std::size_t count = 0;
        for (const auto& [topic, partitions] : log.others)
            for (const auto& [number, each] : partitions)
                for (const auto& record : each.records)
                    count += !each.committed || record.offset >= each.committed->next_offset ? 1 : 0;
        return count;
    }

    std::vector<domain::status_record> deferred()
    {
        std::vector<domain::status_record> all;
        for (const auto& each : replicas)
            for (auto& status : each->publisher.statuses(job_state::deferred))
                all.push_back(std::move(status));
        return all;
    }

    /// When a message to that openid was sent, by the wall clock; each was sent once.
    std::map<std::string, wall_time> sent()
    {
        std::map<std::string, wall_time> times;
        for (const auto& each : replicas)
            for (const auto& call : each->pushes.calls) {
                const auto when = time.wall_now() - std::chrono::duration_cast<milliseconds>(time.now() - call.at);
                EXPECT_TRUE(times.emplace(call.touser, when).second) << call.touser << " was sent twice";
            }
        return times;
    }
};

TEST_F(delayed, a_job_that_must_wait_long_moves_and_comes_back_on_time)
{
    const auto due = time.wall_now() + hours{3} + milliseconds{123};
    const auto enqueued = time.wall_now();
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& worker = start_with_all();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 1) << "its offset has finished";
    EXPECT_EQ(waiting_there(), 1U);
    ASSERT_THAT(worker.publisher.on("push.delayed.1h"), SizeIs(1));
    const auto record = worker.publisher.on("push.delayed.1h")[0];
    EXPECT_EQ(record.key, "key");
    EXPECT_EQ(record.value, log.partitions[0].records[0].value);
    EXPECT_EQ(headers_of(record).at("wxcourier.source"), "push.jobs/0/0");
    EXPECT_EQ(headers_of(record).at("wxcourier.due"), format_rfc3339(due));
    EXPECT_EQ(headers_of(record).at("wxcourier.enqueued_at"), format_rfc3339(enqueued));
    EXPECT_EQ(headers_of(record).at("wxcourier.attempts"), "0");
    time.advance(hours{4});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    const auto status = worker.publisher.statuses(job_state::sent)[0];
    EXPECT_EQ(to_string(status.source), "push.jobs/0/0");
    EXPECT_EQ(status.enqueued_at, enqueued);
    EXPECT_EQ(status.id, "j1");
    EXPECT_EQ(waiting_there(), 0U);
    ASSERT_THAT(deferred(), SizeIs(1)) << "once, over all its turns";
    EXPECT_EQ(deferred()[0].retry_at, due);
    EXPECT_EQ(deferred()[0].reason, "not_before");
}

TEST_F(delayed, waits_of_every_length_end_on_the_millisecond)
{
    std::map<std::string, wall_time> expected;
    std::uint64_t random = 7;
    for (int i = 0; i < 300; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const auto due = time.wall_now() + milliseconds{(random >> 33U) % (4 * 3'600'000ULL)};
        append(job_text("j" + std::to_string(i)).with("not_before", at(due)));
        expected["to-j" + std::to_string(i)] = due;
    }
    start_with_all();
    time.advance(hours{5});
    EXPECT_EQ(sent(), expected);
    EXPECT_EQ(waiting_there(), 0U);
}

TEST_F(delayed, the_producers_headers_stay_as_they_came)
{
    const std::vector<engine::header> headers{{"x-trace", "7"}, {"wxcourier.delayed", "mine"}, {"empty", std::nullopt}};
    log.append(0, job_text("j1").to("o1").with("not_before", at(time.wall_now() + minutes{30})).json(), time.wall_now(),
               std::nullopt, headers);
    auto& worker = start_with_all([](auto& each) { each.pushes.reply_to("o1", {answer(43101)}); });
    time.advance(hours{1});
    ASSERT_THAT(worker.publisher.on("push.dead"), SizeIs(1));
    const auto letter = worker.publisher.on("push.dead")[0];
    EXPECT_EQ(letter.headers[0].name, "x-trace");
    EXPECT_EQ(letter.headers[1].value, "mine");
    EXPECT_EQ(letter.headers[2].value, std::nullopt);
    EXPECT_EQ(letter.headers[3].name, "wxcourier.state");
    EXPECT_EQ(headers_of(letter).at("wxcourier.source"), "push.jobs/0/0");
}

TEST_F(delayed, restarts_change_neither_the_time_nor_the_number)
{
    std::map<std::string, wall_time> expected;
    for (int i = 0; i < 200; ++i) {
        const auto due = time.wall_now() + minutes{5} + milliseconds{i * 1713};
        append(job_text("j" + std::to_string(i)).with("not_before", at(due)));
        expected["to-j" + std::to_string(i)] = due;
    }
    start_with_all();
    time.advance(seconds{100});
    replicas.back()->crash();
    time.advance(seconds{2});
    start_with_all();
    time.advance(seconds{100});
    EXPECT_TRUE(replicas.back()->drain().clean());
    start_with_all();
    time.advance(seconds{60});
    replicas.back()->crash();
    start_with_all();
    time.advance(minutes{10});
    EXPECT_EQ(sent(), expected);
    EXPECT_EQ(outcomes().size(), 200U);
}

TEST_F(delayed, a_crash_before_the_acknowledgement_loses_nothing)
{
    const auto due = time.wall_now() + minutes{3};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& first = start_with_all([](auto& each) { each.publisher.hold = true; });
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 0);
    first.crash();
    start_with_all();
    time.advance(minutes{10});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
}

TEST_F(delayed, a_crash_between_acknowledgement_and_commit_sends_it_once)
{
    const auto due = time.wall_now() + minutes{3};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& first = start_with_all();
    time.advance_until([&] { return first.publisher.on("push.delayed.1m").size() == 1; }, minutes{1});
    first.crash();
    EXPECT_EQ(committed(), 0);
    EXPECT_EQ(waiting_there(), 1U) << "it is in both places";
    auto& second = start_with_all();
    time.advance(minutes{10});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
    EXPECT_EQ(outcomes().size(), 1U);
    EXPECT_EQ(waiting_there(), 0U);
    EXPECT_EQ(second.metrics["wxcourier_delayed_copies_total"].with().value(), 1);
}

TEST_F(delayed, a_copy_that_was_read_after_the_time_has_come_still_meets_the_other)
{
    const auto due = time.wall_now() + minutes{3};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& first = start_with_all();
    time.advance_until([&] { return first.publisher.on("push.delayed.1m").size() == 1; }, minutes{1});
    first.crash();
    time.advance(hours{1});
    start_with_all();
    time.advance(minutes{10});
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_EQ(outcomes().size(), 1U);
}

TEST_F(delayed, a_commit_says_what_may_stand_twice_before_it_is_written)
{
    append(job_text("j1").with("not_before", at(time.wall_now() + hours{3})));
    auto& worker = start_with_all([](auto& each) { each.source.hold_commits = true; });
    time.advance(seconds{1});
    EXPECT_THAT(worker.publisher.on("push.delayed.1h"), IsEmpty());
    ASSERT_THAT(worker.source.held, SizeIs(1));
    const auto& commit = worker.source.held[0].offsets[0];
    const auto progress = codec::decode_offset_metadata(commit.next_offset, commit.metadata).value();
    EXPECT_EQ(progress.moving, (std::vector<domain::index_range>{{0, 0}}));
    worker.source.hold_commits = false;
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_THAT(worker.publisher.on("push.delayed.1h"), SizeIs(1));
    EXPECT_EQ(log.partitions[0].committed->metadata, "");
}

TEST_F(delayed, what_has_come_near_while_it_was_to_be_written_waits_in_memory)
{
    const auto due = time.wall_now() + hours{3};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& worker = start_with_all([](auto& each) { each.source.hold_commits = true; });
    time.advance(seconds{1});
    ASSERT_THAT(worker.source.held, SizeIs(1)) << "the commit that says so";
    time.adjust_wall(hours{3} - seconds{31}); // over the shortest topic it would come back after a minute
    worker.source.hold_commits = false;
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_EQ(waiting_there(), 0U);
    EXPECT_EQ(committed(), 0);
    time.advance(minutes{1});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
    EXPECT_EQ(committed(), 1);
    EXPECT_EQ(log.partitions[0].committed->metadata, "") << "it does not stand anywhere else";
}

TEST_F(delayed, many_that_move_at_once_leave_the_loop_to_others)
{
    constexpr std::size_t jobs = 300;
    for (std::size_t i = 0; i < jobs; ++i)
        append(job_text("j" + std::to_string(i)).with("not_before", at(time.wall_now() + hours{3})));
    auto& worker = start_with_all([](auto& each) { each.source.hold_commits = true; });
    time.advance(seconds{1});
    ASSERT_EQ(deferred().size(), jobs);
    worker.publisher.hold = true;
    worker.source.hold_commits = false;
    worker.source.answer_commit();
    std::size_t most = 0;
    loop.restart();
    for (std::size_t before = 0; loop.poll_one() != 0; before = worker.publisher.waiting.size())
        most = std::max(most, worker.publisher.waiting.size() - before);
    EXPECT_EQ(worker.publisher.waiting.size(), jobs);
    EXPECT_LE(most, 64U) << "written in one turn";
}

TEST_F(delayed, thousands_that_come_back_to_move_on_leave_room_for_what_is_new)
{
    options.admission.messages = 100;
    for (int i = 0; i < 200; ++i)
        append(job_text("j" + std::to_string(i)).with("not_before", at(time.wall_now() + minutes{9})));
    auto& worker = start_with_all();
    time.advance(seconds{50});
    ASSERT_EQ(waiting_there(), 200U);
    worker.publisher.hold = true; // whatever comes back is on its way from now on
    time.advance(seconds{15});
    EXPECT_THAT(worker.publisher.waiting, SizeIs(testing::Ge(12U)));
    append(job_text("new").to("o-new"));
    worker.source.tell_of_records();
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.sends_to("o-new"), 1U);
}

TEST_F(delayed, a_day_quota_has_the_jobs_of_its_call_wait_there)
{
    for (int i = 0; i < 20; ++i)
        append(job_text("j" + std::to_string(i)));
    append(job_text("g").app("game").to("o-game"));
    auto& worker = start_with_all([](auto& each) {
        each.pushes.reply_to("to-j0", {answer(45009, "reach max api daily quota limit")});
        each.pushes.latency = [](const auto&) { return milliseconds{50}; };
    });
    worker.pushes.otherwise = [&](const auto&) {
        return time.wall_now() < wall_time{milliseconds{1'795'363'200'000}} ? answer(45009) : accepted();
    };
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 21) << "nothing waits in memory";
    EXPECT_EQ(deferred().size(), 21U);
    for (const auto& each : deferred())
        EXPECT_EQ(each.reason, "quota_exhausted");
    time.advance(hours{10});
    EXPECT_EQ(outcomes().size(), 21U);
    EXPECT_EQ(deferred().size(), 21U) << "once per wait";
    for (const auto& status : worker.publisher.statuses(job_state::sent))
        EXPECT_GE(status.attempts, 1);
    EXPECT_EQ(worker.pushes.sends_to("to-j0"), 2U);
}

TEST_F(delayed, attempts_and_clocks_go_on_where_they_were)
{
    append(job_text("j1").to("o1"));
    auto& worker = start_with_all([](auto& each) {
        each.pushes.reply_to("o1", {answer(-1), answer(-1), answer(45009, "reach max api daily quota limit")});
    });
    time.advance(hours{10});
    const auto status = worker.publisher.statuses(job_state::sent).at(0);
    EXPECT_EQ(status.attempts, 4);
    EXPECT_EQ(headers_of(worker.publisher.on("push.delayed.1h").at(0)).at("wxcourier.attempts"), "3");
}

TEST_F(delayed, the_dead_letter_of_a_job_that_waited_there_has_all_of_its_attempts)
{
    append(job_text("j1").to("o1"));
    append(job_text("j2").recipients(3, "r"));
    auto& first = start_with_all([](auto& each) {
        each.pushes.reply_to("o1", {answer(-1), http(503)});
        each.pushes.reply_to("r0", {no_answer(), answer(43101)});
        each.pushes.otherwise = [](const auto&) { return answer(-1); };
        each.pushes.reply_to("last", {answer(45009, "reach max api daily quota limit")});
        each.pushes.latency = [](const auto& call) { return milliseconds{call.touser == "last" ? 5000 : 50}; };
    });
    append(job_text("j3").to("last"));
    time.advance(seconds{60});
    ASSERT_EQ(committed(), 3) << "all wait";
    first.crash();
    auto& second = start_with_all([](auto& each) {
        each.pushes.reply_to("o1", {answer(-1), answer(40037)});
        each.pushes.reply_to("r1", {answer(47003)});
    });
    time.advance(hours{10});
    std::map<std::string, std::map<std::string, std::string>> letters;
    for (const auto& letter : second.publisher.on("push.dead"))
        letters[headers_of(letter).at("wxcourier.source")] = headers_of(letter);
    ASSERT_EQ(letters.size(), 2U);
    const auto& alone = letters.at("push.jobs/0/0").at("wxcourier.attempts_log");
    EXPECT_THAT(alone, testing::MatchesRegex(R"(\{"attempts":[0-9]+,"log":\[\{[^}]*"errcode":-1\},\{[^}]*503\},.*)"));
    EXPECT_THAT(alone, testing::EndsWith(R"("errcode":40037}]})"));
    EXPECT_EQ(letters.at("push.jobs/0/1").at("wxcourier.recipients"), "0-1");
    EXPECT_EQ(letters.at("push.jobs/0/1").at("wxcourier.unknown"), "0") << "r1 has been refused for certain";
}

TEST_F(delayed, expires_on_time_wherever_it_waits)
{
    const auto ends = time.wall_now() + hours{2} + minutes{7};
    append(job_text("j1").to("o1").with("expire_at", at(ends)));
    auto& worker = start_with_all(
        [](auto& each) { each.pushes.reply_to("o1", {answer(45009, "reach max api daily quota limit")}); });
    time.advance(hours{6});
    EXPECT_THAT(worker.publisher.on("push.delayed.1h"), SizeIs(2));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "expired/expired")));
    const auto status = worker.publisher.statuses(job_state::expired).at(0);
    EXPECT_GE(*status.finished_at, ends);
    EXPECT_LE(*status.finished_at, ends + seconds{2});
    EXPECT_EQ(worker.pushes.calls.size(), 1U);
}

TEST_F(delayed, its_age_counts_from_when_it_was_enqueued_first)
{
    options.max_age = hours{1};
    append(job_text("j1").to("o1"));
    start_with_all([](auto& each) { each.pushes.reply_to("o1", {answer(45009, "reach max api daily quota limit")}); });
    time.advance(hours{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "expired/too_old")));
}

TEST_F(delayed, the_jobs_of_a_halted_app_go_round_until_it_is_mended)
{
    for (int i = 0; i < 50; ++i)
        append(job_text("j" + std::to_string(i)));
    append(job_text("g").app("game").to("o-game"));
    auto& worker = start_with_all(
        [](auto& each) { each.tokens.reply_to("wx-shop", std::vector<engine::token_reply>(9, no_token(40125))); });
    time.advance(minutes{30});
    EXPECT_EQ(committed(), 51) << "none of them holds up its partition";
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o-game", "sent")));
    EXPECT_EQ(deferred().size(), 50U);
    time.advance(hours{4});
    EXPECT_EQ(outcomes().size(), 51U);
    EXPECT_EQ(deferred().size(), 50U) << "once per wait, not per turn";
    for (const auto& each : deferred())
        EXPECT_EQ(each.reason, "app_halted");
    EXPECT_EQ(waiting_there(), 0U);
    EXPECT_EQ(worker.pushes.calls.size(), 51U);
}

TEST_F(delayed, a_slow_apps_jobs_make_way_when_its_share_of_memory_is_full)
{
    options.admission.messages = 1400;
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 3000; ++i)
        append(job_text("s" + std::to_string(i)));
    append(job_text("g").app("game").to("o-game"));
    auto& worker = start_with_all();
    time.advance(seconds{5});
    EXPECT_EQ(worker.pushes.sends_to("o-game"), 1U) << "what stands behind them is not held up";
    EXPECT_NEAR(static_cast<double>(waiting_there()), 2300, 60);
    time.advance(minutes{6});
    EXPECT_EQ(sent().size(), 3001U);
    EXPECT_THAT(deferred(), IsEmpty()) << "a wait for the rate is not reported";
    EXPECT_EQ(waiting_there(), 0U);
}

TEST_F(delayed, a_slow_app_uses_its_rate_all_the_same)
{
    options.admission.messages = 1400; // its half is what it sends in 70 s
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 5000; ++i)
        append(job_text("s" + std::to_string(i)));
    auto& worker = start_with_all();
    time.advance(minutes{5});
    EXPECT_GE(worker.pushes.calls.size(), 2850U) << "95 % of the rate";
    double moved = 0;
    for (const auto& [labels, series] : worker.metrics["wxcourier_delayed_moved_total"].series())
        moved += series.value();
    EXPECT_LE(moved, 5000 * 5) << "each looked at once a minute at most";
}

TEST_F(delayed, an_app_that_is_alone_on_its_topic_waits_in_kafka)
{
    options.admission.messages = 200;
    options.topic_apps["push.jobs"] = {"shop"};
    options.apps[0].limits.rate_per_second = 10;
    for (int i = 0; i < 1000; ++i)
        append(job_text("s" + std::to_string(i)));
    auto& worker = start_with_all([](auto& each) { each.pushes.hold = true; });
    time.advance(seconds{10});
    EXPECT_EQ(waiting_there(), 0U);
    EXPECT_LE(worker.source.polled, 201U);
}

TEST_F(delayed, a_fast_apps_backlog_is_let_through_rather_than_moved)
{
    options.admission.messages = 200;
    for (int i = 0; i < 5000; ++i)
        append(job_text("s" + std::to_string(i)));
    append(job_text("g").app("game").to("o-game"));
    auto& worker =
        start_with_all([](auto& each) { each.pushes.latency = [](const auto&) { return milliseconds{50}; }; });
    time.advance(seconds{10});
    EXPECT_EQ(worker.pushes.calls.size(), 5001U);
    EXPECT_THAT(worker.publisher.on("push.delayed.1m"), IsEmpty());
}

TEST_F(delayed, a_job_with_recipients_moves_with_what_it_has_come_to)
{
    options.apps[0].limits.concurrency = 3;
    append(job_text("j1").recipients(10));
    auto& worker = start_with_all([](auto& each) {
        each.pushes.reply_to("o1", {answer(43101)});
        each.pushes.reply_to("o3", {answer(45009, "reach max api daily quota limit")});
        each.pushes.latency = [](const auto&) { return milliseconds{50}; };
    });
    time.advance(seconds{10});
    EXPECT_EQ(committed(), 1);
    ASSERT_THAT(worker.publisher.on("push.delayed.1h"), SizeIs(1));
    const auto headers = headers_of(worker.publisher.on("push.delayed.1h")[0]);
    EXPECT_EQ(headers.at("wxcourier.failed"), "1");
    EXPECT_EQ(headers.at("wxcourier.failed_for"), "refused_by_user");
    const auto done = worker.pushes.calls.size();
    EXPECT_LT(done, 8U);
    EXPECT_EQ(deferred().size(), 10 - outcomes().size());
    worker.crash();
    auto& second = start_with_all();
    time.advance(hours{10});
    EXPECT_EQ(outcomes().size(), 10U);
    EXPECT_EQ(done + second.pushes.calls.size(), 11U) << "o3 was tried twice";
    ASSERT_THAT(second.publisher.on("push.dead"), SizeIs(1));
    EXPECT_EQ(headers_of(second.publisher.on("push.dead")[0]).at("wxcourier.recipients"), "1");
    EXPECT_EQ(headers_of(second.publisher.on("push.dead")[0]).at("wxcourier.reason"), "refused_by_user");
}

TEST_F(delayed, at_most_once_moves_what_was_not_sent_and_keeps_what_was)
{
    options.delivery.at_most_once = true;
    const auto due = time.wall_now() + minutes{20};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    append(job_text("j2").to("o2"));
    auto& worker = start_with_all(
        [](auto& each) { each.pushes.reply_to("o2", {answer(45009, "reach max api daily quota limit")}); });
    time.advance(seconds{10});
    EXPECT_EQ(waiting_there(), 1U);
    time.advance(hours{10});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent"), Pair("o2", "sent")));
    EXPECT_EQ(worker.pushes.sends_to("o1"), 1U);
}

TEST_F(delayed, with_ordering_by_key_nothing_goes_but_what_is_there_comes_back)
{
    const auto due = time.wall_now() + minutes{20};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    start_with_all();
    time.advance(seconds{10});
    EXPECT_TRUE(replicas.back()->drain().clean());
    options.delayed.moves = false;
    append(job_text("j2").to("o2").with("not_before", at(due + minutes{10})));
    start_with_all();
    time.advance(minutes{15});
    EXPECT_EQ(committed(), 1) << "it waits in memory";
    time.advance(hours{1});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due), Pair("o2", due + minutes{10})));
}

TEST_F(delayed, what_the_broker_refuses_for_its_size_waits_in_memory)
{
    const auto due = time.wall_now() + minutes{20};
    append(job_text("j1").to("o1").says(std::string(5000, 'x')).with("not_before", at(due)));
    start_with_all([](auto& each) { each.publisher.largest_value = 1000; });
    time.advance(hours{1});
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
    EXPECT_EQ(committed(), 1);
}

TEST_F(delayed, a_partition_that_goes_takes_its_waiting_jobs_along)
{
    const auto due = time.wall_now() + minutes{4};
    append(job_text("j1").to("o1").with("not_before", at(due)));
    auto& first = start();
    first.source.assign(0);
    const auto minute = first.source.assign("push.delayed.1m", 0);
    time.advance(minutes{3} + seconds{30});
    first.source.revoke({minute});
    time.advance(seconds{1});
    EXPECT_TRUE(first.source.released.contains(minute)) << "at once: nothing was under way";
    auto& second = start();
    second.source.assign("push.delayed.1m", 0);
    time.advance(minutes{5});
    EXPECT_EQ(second.pushes.sends_to("o1"), 1U);
    EXPECT_THAT(sent(), ElementsAre(Pair("o1", due)));
}

TEST_F(delayed, any_number_waits_without_memory)
{
    options.admission.messages = 500;
    const auto due = time.wall_now() + hours{2};
    for (int i = 0; i < 20'000; ++i)
        append(job_text("j" + std::to_string(i)).with("not_before", at(due)));
    auto& worker = start_with_all();
    time.advance(minutes{1});
    EXPECT_EQ(committed(), 20'000);
    EXPECT_EQ(worker.metrics["wxcourier_queued"].with({"shop"}).value(), 0);
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
}

TEST_F(delayed, a_record_that_nobody_moved_there_is_a_job_like_any_other)
{
    log.append_to("push.delayed.1m", 0, {"push.delayed.1m", "k", job_text("j1").to("o1").json(), {}}, time.wall_now());
    log.append_to("push.delayed.1m", 0, {"push.delayed.1m", "k", "no job", {}}, time.wall_now());
    auto& worker = start_with_all();
    time.advance(minutes{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("(null)", "rejected/invalid_job"), Pair("o1", "sent")));
    EXPECT_EQ(to_string(worker.publisher.statuses(job_state::sent).at(0).source), "push.delayed.1m/0/0");
}

TEST_F(delayed, not_before_beyond_max_delay_is_rejected_and_a_job_that_waited_is_not)
{
    options.max_delay = hours{2};
    append(job_text("far").to("o1").with("not_before", at(time.wall_now() + hours{2} + seconds{1})));
    append(job_text("near").to("o2").with("not_before", at(time.wall_now() + hours{2} - seconds{1})));
    start_with_all();
    time.advance(minutes{70});
    time.adjust_wall(-hours{1});
    time.advance(hours{3});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "rejected/invalid_job"), Pair("o2", "sent")));
}

} // namespace
} // namespace wxcourier::test
