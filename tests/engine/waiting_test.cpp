// SPDX-License-Identifier: Apache-2.0
// Waits: quotas, halts, outages, and what the status topic says of them.
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

class waiting : public courier_test {
protected:
    std::vector<domain::status_record> deferred(replica& worker)
    {
        return worker.publisher.statuses(job_state::deferred);
    }
};

TEST_F(waiting, a_long_not_before_is_reported_once)
{
    const auto due = time.wall_now() + hours{3};
    append(job_text("j1").to("o1").with("not_before", '"' + format_rfc3339(due) + '"'));
    auto& worker = start_with_partition();
    time.advance(hours{2});
    ASSERT_THAT(deferred(worker), SizeIs(1));
    const auto status = deferred(worker)[0];
    EXPECT_EQ(status.reason, "not_before");
    EXPECT_EQ(status.retry_at, due);
    EXPECT_EQ(status.touser, "o1");
    EXPECT_EQ(status.attempts, 0);
    EXPECT_EQ(status.finished_at, std::nullopt);
    time.advance(hours{2});
    EXPECT_THAT(deferred(worker), SizeIs(1));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(waiting, a_short_wait_is_not_worth_a_status)
{
    append(job_text("j1").with("not_before", '"' + format_rfc3339(time.wall_now() + seconds{59}) + '"'));
    append(job_text("j2").to("limited"));
    auto& worker = start([](auto& each) { each.pushes.reply_to("limited", {answer(45011)}); });
    worker.source.assign(0);
    time.advance(minutes{3});
    EXPECT_THAT(deferred(worker), IsEmpty());
    EXPECT_EQ(outcomes().size(), 2U);
}

TEST_F(waiting, neither_backoff_nor_the_rate_is_reported)
{
    options.apps[0].limits.rate_per_second = 0.01;
    options.apps[0].limits.burst = 1;
    options.delivery.retry.initial = milliseconds{100'000};
    options.delivery.retry.max = milliseconds{1'000'000};
    for (int i = 0; i < 5; ++i)
        append(job_text("j" + std::to_string(i)));
    append(job_text("g").app("game").to("busy"));
    auto& worker = start([](auto& each) { each.pushes.reply_to("busy", {answer(-1), answer(-1), answer(-1)}); });
    worker.source.assign(0);
    time.advance(minutes{4});
    EXPECT_THAT(deferred(worker), IsEmpty());
}

TEST_F(waiting, a_day_quota_parks_its_call_until_midnight_in_china_and_nothing_else)
{
    append(job_text("j1").to("o1"));
    append(job_text("j2").kind("official.custom").to("o2"));
    append(job_text("j3").app("game").to("o3"));
    auto& worker =
        start([](auto& each) { each.pushes.reply_to("o1", {answer(45009, "reach max api daily quota limit")}); });
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o2", "sent"), Pair("o3", "sent")));
    ASSERT_THAT(deferred(worker), SizeIs(1));
    EXPECT_EQ(deferred(worker)[0].reason, "quota_exhausted");
    EXPECT_EQ(deferred(worker)[0].errcode, 45009);
    EXPECT_EQ(format_rfc3339(*deferred(worker)[0].retry_at), "2026-11-22T16:00:00.000Z");
    append(job_text("j4").to("o4"));
    worker.source.tell_of_records();
    time.advance(minutes{1});
    EXPECT_EQ(worker.pushes.sends_to("o4"), 0U) << "a job that came later waits as well";
    EXPECT_THAT(deferred(worker), SizeIs(2));
    time.advance(hours{9});
    EXPECT_EQ(outcomes().size(), 4U);
    EXPECT_THAT(deferred(worker), SizeIs(2)) << "once per wait";
    EXPECT_EQ(committed(), 4);
}

TEST_F(waiting, a_minute_quota_parks_its_call_until_the_next_minute)
{
    time.advance(seconds{17});
    append(job_text("j1").to("o1"));
    auto& worker = start([](auto& each) { each.pushes.reply_to("o1", {answer(45011)}); });
    worker.source.assign(0);
    time.advance(minutes{2});
    ASSERT_THAT(worker.pushes.calls, SizeIs(2));
    EXPECT_EQ(time.wall_now() - (time.now() - worker.pushes.calls[1].at),
              std::chrono::floor<minutes>(time.wall_now()) - minutes{1});
}

TEST_F(waiting, a_wall_clock_that_jumps_during_a_park_changes_nothing_but_what_it_names)
{
    // 45011 at 08:15:30 parks for half a minute, by a clock that nobody sets; what others name by the wall clock
    // follows it.
    for (const auto jump : {milliseconds{std::chrono::hours{-3}}, milliseconds{std::chrono::hours{3}}}) {
        const auto name = std::to_string(jump.count());
        const auto expires = time.wall_now() + minutes{30};
        append(job_text("a" + name).to("a" + name));
        append(job_text("b" + name).to("b" + name).with("expire_at", '"' + format_rfc3339(expires) + '"'));
        auto& worker = start([&name](auto& each) {
            each.pushes.reply_to("a" + name, {answer(45011)});
            each.pushes.reply_to("b" + name, {answer(45011)});
        });
        worker.source.assign(0);
        time.advance(seconds{1});
        const auto parked = time.now();
        time.adjust_wall(jump);
        time.advance(seconds{20});
        EXPECT_EQ(worker.pushes.sends_to("a" + name), 1U) << "still parked";
        time.advance(seconds{45});
        EXPECT_EQ(worker.pushes.sends_to("a" + name), 2U) << "and not for longer";
        EXPECT_LE(worker.pushes.calls.back().at - parked, seconds{60});
        EXPECT_EQ(outcomes().at("a" + name), "sent");
        EXPECT_EQ(outcomes().at("b" + name), jump.count() > 0 ? "expired/expired" : "sent");
        worker.crash();
    }
}

TEST_F(waiting, the_jobs_of_a_halted_app_are_reported_once)
{
    for (int i = 0; i < 3; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start(
        [](auto& each) { each.tokens.reply_to("wx-shop", std::vector<engine::token_reply>(9, no_token(40125))); });
    worker.source.assign(0);
    time.advance(minutes{30});
    EXPECT_THAT(deferred(worker), SizeIs(3));
    for (const auto& each : deferred(worker))
        EXPECT_EQ(each.reason, "app_halted");
    time.advance(hours{3});
    EXPECT_THAT(deferred(worker), SizeIs(3));
    EXPECT_EQ(outcomes().size(), 3U);
}

TEST_F(waiting, another_wait_of_the_same_message_is_another_status)
{
    append(job_text("j1").to("o1").with("not_before", '"' + format_rfc3339(time.wall_now() + minutes{10}) + '"'));
    auto& worker = start([](auto& each) { each.pushes.reply_to("o1", {answer(45009)}); });
    worker.source.assign(0);
    time.advance(hours{10});
    ASSERT_THAT(deferred(worker), SizeIs(2));
    EXPECT_EQ(deferred(worker)[0].reason, "not_before");
    EXPECT_EQ(deferred(worker)[1].reason, "quota_exhausted");
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(waiting, a_deferred_status_does_not_hold_the_offset)
{
    append(job_text("j1").to("o1").with("not_before", '"' + format_rfc3339(time.wall_now() + minutes{10}) + '"'));
    auto& worker = start_with_partition();
    worker.publisher.hold = true;
    time.advance(minutes{11});
    ASSERT_THAT(worker.publisher.waiting, SizeIs(2));
    const auto first = worker.publisher.waiting.front();
    worker.publisher.waiting.pop_front(); // the deferred one is never acknowledged
    worker.publisher.acknowledge_all();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 1);
}

TEST_F(waiting, an_outage_opens_the_breaker_and_one_probe_goes_at_a_time)
{
    options.breaker = {.failures_to_open = 5, .open_for = {milliseconds{1000}, milliseconds{30'000}}};
    options.apps[0].limits.concurrency = 50;
    for (int i = 0; i < 500; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start();
    bool down = true;
    worker.pushes.otherwise = [&down](const auto&) { return down ? no_connection() : accepted(); };
    worker.pushes.latency = [](const auto&) { return milliseconds{10}; };
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto at_first = worker.pushes.calls.size();
    EXPECT_LE(at_first, 105U) << "what was under way, and little more";
    time.advance(minutes{10});
    const auto probes = worker.pushes.calls.size() - at_first;
    EXPECT_LE(probes, 60U) << "no hammering";
    EXPECT_GE(probes, 20U);
    EXPECT_THAT(outcomes(), IsEmpty()) << "an outage ends no job";
    const auto& breaker_open = worker.metrics["wxcourier_breaker_open"].with({"shop"});
    EXPECT_EQ(breaker_open.value(), 1);
    down = false;
    time.advance(minutes{2});
    EXPECT_EQ(outcomes().size(), 500U);
    EXPECT_EQ(breaker_open.value(), 0);
    EXPECT_GT(worker.pushes.most_at_once, 40U) << "full speed again";
}

TEST_F(waiting, time_behind_an_open_breaker_does_not_count_for_give_up_after)
{
    options.delivery.give_up_after = minutes{10};
    options.breaker.failures_to_open = 2;
    for (int i = 0; i < 5; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start();
    bool down = true;
    worker.pushes.otherwise = [&down](const auto&) { return down ? no_connection() : accepted(); };
    worker.source.assign(0);
    time.advance(hours{2});
    down = false;
    time.advance(minutes{2});
    ASSERT_EQ(outcomes().size(), 5U);
    for (const auto& [touser, outcome] : outcomes())
        EXPECT_EQ(outcome, "sent") << touser;
}

TEST_F(waiting, one_apps_quota_and_outage_leave_the_others_alone)
{
    for (int i = 0; i < 200; ++i) {
        append(job_text("s" + std::to_string(i)).app("shop"));
        append(job_text("g" + std::to_string(i)).app("game"));
    }
    auto& worker = start();
    worker.pushes.otherwise = [](const auto& call) {
        return call.touser.starts_with("to-s") ? no_connection() : accepted();
    };
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_EQ(outcomes().size(), 200U);
}

TEST_F(waiting, the_rate_of_an_app_is_held)
{
    options.apps[0].limits.rate_per_second = 50;
    options.apps[0].limits.burst = 10;
    for (int i = 0; i < 600; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start([](auto& each) { each.pushes.latency = [](const auto&) { return milliseconds{80}; }; });
    worker.source.assign(0);
    time.advance(seconds{10});
    const auto& calls = worker.pushes.calls;
    EXPECT_NEAR(static_cast<double>(calls.size()), 510, 2);
    for (std::size_t i = 0; i < calls.size(); ++i)
        for (std::size_t j = i + 10; j < calls.size(); ++j) {
            const double window = std::chrono::duration<double>(calls[j].at - calls[i].at).count();
            ASSERT_LE(static_cast<double>(j - i + 1), 10 + 50 * window + 1e-6);
        }
}

TEST_F(waiting, retries_count_for_the_rate_as_well)
{
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 20; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start();
    worker.pushes.otherwise = [](const auto&) { return answer(-1); };
    worker.source.assign(0);
    time.advance(seconds{10});
    EXPECT_LE(worker.pushes.calls.size(), 101U);
}

} // namespace
} // namespace wxcourier::test
