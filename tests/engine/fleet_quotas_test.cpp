// SPDX-License-Identifier: Apache-2.0
// A day's quota holds for the group: couriers over one log, near midnight in China.
#include "domain/calendar.hpp"
#include "tests/support/fleet_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::hours;
using std::chrono::minutes;

class fleet_quotas : public fleet_test {
protected:
    static constexpr int quota = 100;

    fleet_quotas()
    {
        options.apps[0].limits.quota.daily = quota;
        stand_before_midnight(minutes{10});
    }

    void stand_before_midnight(steady_duration by)
    {
        const auto wall = time.wall_now();
        time.adjust_wall(std::chrono::duration_cast<milliseconds>(domain::next_day_in_china(wall) - wall - by));
    }

    void append(std::int32_t partition, int count, std::string_view priority = "normal")
    {
        for (int i = 0; i < count; ++i)
            jobs.append(partition,
                        job_text("job-" + std::to_string(next_job++))
                            .with("priority", '"' + std::string(priority) + '"')
                            .json(),
                        time.wall_now(), "key");
        for (auto& each : members)
            if (each->alive)
                each->source.tell_of_records();
    }
    [[nodiscard]] std::vector<steady_time> sends() const
    {
        std::vector<steady_time> all;
        for (const auto& each : members)
            for (const auto& call : each->pushes.calls)
                all.push_back(call.at);
        std::sort(all.begin(), all.end());
        return all;
    }
    [[nodiscard]] int sent() const { return static_cast<int>(sends().size()); }
    [[nodiscard]] std::vector<domain::status_record> deferred() const
    {
        std::vector<domain::status_record> all;
        for (const auto& each : members)
            for (const auto& status : each->statuses.statuses(job_state::deferred))
                all.push_back(status);
        return all;
    }
    void until_midnight_and(steady_duration more)
    {
        const auto wall = time.wall_now();
        time.advance(domain::next_day_in_china(wall) - wall + more);
    }
    [[nodiscard]] double gauge(std::size_t member, std::string_view name)
    {
        return members[member]->metrics[name].with({"shop", "official.template"}).value();
    }
    [[nodiscard]] std::size_t said(std::string_view type) const
    {
        std::size_t count = 0;
        for (const auto& each : shared)
            count += each.value && each.value->find(type) != std::string::npos ? 1 : 0;
        return count;
    }
    void start_calm(std::size_t count)
    {
        start_group(count);
        time.advance(seconds{2});
    }
    /// More than one app: a token call of one ends the other's token here, which is of no interest.
    void accept_any_token()
    {
        for (auto& each : members)
            each->pushes.otherwise = [](const auto&) { return accepted(); };
    }
};

TEST_F(fleet_quotas, all_replicas_together_send_the_quota_and_the_rest_waits_for_the_reset)
{
    start_calm(3);
    for (int partition = 0; partition < 3; ++partition)
        append(partition, 60);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), quota) << "whoever has some left gives it to those who need it";
    const auto waiting = deferred();
    ASSERT_EQ(waiting.size(), 180U - quota);
    for (const auto& each : waiting) {
        EXPECT_EQ(each.reason, "quota_exhausted");
        EXPECT_LE(std::chrono::abs(*each.retry_at - domain::next_day_in_china(time.wall_now())), milliseconds{500});
    }
    EXPECT_EQ(gauge(0, "wxcourier_quota_left"), 0);
    EXPECT_EQ(gauge(0, "wxcourier_quota_limit"), quota);
    EXPECT_EQ(gauge(0, "wxcourier_quota_used") + gauge(1, "wxcourier_quota_used") + gauge(2, "wxcourier_quota_used"),
              quota);

    until_midnight_and(milliseconds{-1});
    EXPECT_EQ(sent(), quota);
    time.advance(seconds{5});
    EXPECT_EQ(sent(), 180);
    EXPECT_EQ(outcomes().size(), 180U);
    EXPECT_THAT(failures, testing::IsEmpty());
}

TEST_F(fleet_quotas, the_first_message_of_the_day_waits_for_the_log_and_nothing_else)
{
    start_calm(3);
    time.advance(minutes{1});
    append(2, 1);
    time.advance(milliseconds{60});
    EXPECT_EQ(sent(), 1);
}

TEST_F(fleet_quotas, messages_that_come_one_by_one_do_not_each_wait_for_a_grant)
{
    options.apps[0].limits.quota.daily = 10'000;
    start_calm(3);
    append(2, 1);
    time.advance(seconds{1});
    const auto records = shared.size();
    for (int i = 0; i < 100; ++i) {
        append(2, 1);
        time.advance(milliseconds{100});
        EXPECT_EQ(sent(), i + 2);
    }
    EXPECT_LT(said("quota_table"), 8U);
    EXPECT_LT(shared.size() - records, 150U) << "rates are reported every 250 ms";
}

TEST_F(fleet_quotas, a_killed_leader_takes_along_what_it_held_and_no_more)
{
    start_calm(3);
    auto* const first = leader();
    ASSERT_NE(first, nullptr);
    for (int partition = 0; partition < 3; ++partition)
        append(partition, 5);
    time.advance(milliseconds{200});
    kill(*first);
    append(1, 80);
    append(2, 80);
    time.advance(minutes{1});
    EXPECT_LE(sent(), quota);
    EXPECT_GE(sent(), quota - 20);
    until_midnight_and(minutes{1});
    EXPECT_EQ(outcomes().size(), 175U);
}

TEST_F(fleet_quotas, a_group_that_starts_anew_knows_what_was_sent)
{
    start_calm(2);
    append(0, 40);
    append(1, 40);
    time.advance(seconds{10});
    ASSERT_EQ(sent(), 80);
    for (auto& each : members)
        kill(*each);
    auto& late = start();
    assign(late, 0);
    append(0, 100);
    time.advance(minutes{1});
    EXPECT_LE(sent(), quota);
    EXPECT_GE(sent(), 80);
    until_midnight_and(minutes{1});
    EXPECT_GT(sent(), quota) << "another day";
    EXPECT_LE(sent(), 2 * quota);
}

TEST_F(fleet_quotas, a_drained_replica_gives_back_what_it_did_not_use)
{
    start_calm(2);
    append(1, 3);
    time.advance(milliseconds{500});
    ASSERT_EQ(sent(), 3);
    auto& leaving = *members[1];
    asio::co_spawn(loop, leaving.courier->drain(time.now() + seconds{5}),
                   [](const std::exception_ptr&, engine::drain_report) {});
    time.advance(seconds{1});
    append(0, 200);
    time.advance(seconds{20});
    EXPECT_EQ(sent(), quota);
    kill(leaving);
}

TEST_F(fleet_quotas, who_begins_to_read_in_the_middle_of_the_log_counts_all_of_the_day)
{
    start_calm(1);
    append(0, 70);
    time.advance(seconds{70});
    ASSERT_EQ(sent(), 70);
    kill(*members[0]);
    const auto mark = said("quota_mark");
    EXPECT_GE(mark, 2U) << "the leader says where today's tables stand";
    for (const auto first : {shared.size() - 1, shared.size() / 2}) {
        auto& late = start(milliseconds{0}, {first, true});
        assign(late, 0);
        append(0, 10);
        time.advance(seconds{20});
        kill(late);
    }
    EXPECT_LE(sent(), quota);
    EXPECT_GE(sent(), 80);
}

TEST_F(fleet_quotas, a_stopped_replica_that_goes_on_the_next_day_uses_nothing_of_it_unasked)
{
    start_calm(2);
    append(0, 10);
    append(1, 10);
    time.advance(seconds{1});
    members[1]->reads = false; // Kafka brings it nothing any more
    append(1, 300);
    time.advance(seconds{20});
    const auto before = sent();
    EXPECT_LE(before, quota);
    until_midnight_and(seconds{20});
    append(0, 300);
    time.advance(seconds{20});
    members[1]->reads = true;
    time.advance(seconds{20});
    EXPECT_LE(sent(), before + quota);
    EXPECT_GE(sent(), before + quota - 10);
}

TEST_F(fleet_quotas, at_midnight_nothing_more_goes_by_the_old_days_grant)
{
    options.apps[0].limits.rate_per_second = 20;
    options.apps[0].limits.burst = 1;
    stand_before_midnight(seconds{3});
    start_group(1);
    append(0, 400);
    const auto midnight = time.now() + (domain::next_day_in_china(time.wall_now()) - time.wall_now());
    time.advance(seconds{20});
    const auto all = sends();
    EXPECT_LE(std::count_if(all.begin(), all.end(), [midnight](auto at) { return at < midnight; }), quota);
    EXPECT_LE(std::count_if(all.begin(), all.end(), [midnight](auto at) { return at >= midnight; }), quota);
    EXPECT_GE(sent(), 150);
}

TEST_F(fleet_quotas, a_clock_that_jumps_over_midnight_and_back_gets_no_second_quota)
{
    start_calm(2);
    append(0, 30);
    append(1, 30);
    time.advance(seconds{10});
    ASSERT_EQ(sent(), 60);
    time.adjust_wall(hours{1});
    time.advance(seconds{5});
    time.adjust_wall(-hours{1});
    append(0, 100);
    append(1, 100);
    time.advance(seconds{30});
    EXPECT_LE(sent(), quota) << "nothing was sent while the clock was wrong: the old day's account goes on";
    EXPECT_GE(sent(), quota - 5);
}

TEST_F(fleet_quotas, what_was_sent_while_the_clock_was_ahead_counts_when_it_is_right_again)
{
    start_calm(1);
    append(0, 60);
    time.advance(seconds{10});
    time.adjust_wall(hours{1});
    append(0, 30);
    time.advance(seconds{10});
    ASSERT_EQ(sent(), 90);
    time.adjust_wall(-hours{1});
    append(0, 100);
    time.advance(seconds{30});
    EXPECT_LE(sent(), quota);
}

TEST_F(fleet_quotas, a_replica_whose_clock_is_ahead_gets_nothing_of_a_day_that_has_not_begun_for_the_leader)
{
    start_group(2, {milliseconds{0}, milliseconds{hours{1}}});
    time.advance(seconds{2});
    append(1, 50);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), 0);
    until_midnight_and(seconds{20});
    EXPECT_EQ(sent(), 50);
}

TEST_F(fleet_quotas, what_never_reached_wechat_does_not_count)
{
    start_calm(1);
    for (int i = 0; i < 20; ++i)
        members[0]->pushes.reply_to("to-job-" + std::to_string(i), {no_connection()});
    append(0, 20);
    time.advance(seconds{30});
    append(0, quota - 20);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), quota + 20);
    EXPECT_EQ(outcomes().size(), static_cast<std::size_t>(quota));
}

TEST_F(fleet_quotas, the_reserve_is_kept_for_messages_of_high_priority)
{
    options.apps[0].limits.quota.reserve_percent = 20;
    start_calm(2);
    append(0, 200);
    append(1, 200, "low");
    time.advance(seconds{30});
    EXPECT_EQ(sent(), 80);
    append(1, 15, "high");
    // What is left of so small a reserve is granted two by two.
    time.advance(seconds{2});
    EXPECT_EQ(sent(), 95) << "soon, although the others have given the day up";
    append(0, 50, "high");
    time.advance(seconds{30});
    EXPECT_EQ(sent(), quota);
}

TEST_F(fleet_quotas, other_apps_and_other_calls_have_quotas_of_their_own)
{
    auto other = options.apps[0];
    other.name = "news";
    other.appid = "wx-news";
    other.limits.quota = {};
    options.apps.push_back(other);
    start_calm(1);
    accept_any_token();
    append(0, 150);
    for (int i = 0; i < 150; ++i)
        jobs.append(0, job_text("news-" + std::to_string(i)).app("news").json(), time.wall_now());
    for (int i = 0; i < 50; ++i)
        jobs.append(0, job_text("custom-" + std::to_string(i)).kind("official.custom").json(), time.wall_now());
    members[0]->source.tell_of_records();
    time.advance(seconds{10});
    EXPECT_EQ(sent(), quota + 150 + 50);
}

TEST_F(fleet_quotas, a_changed_quota_holds_at_once)
{
    start_calm(2);
    append(0, 300);
    append(1, 300);
    time.advance(seconds{20});
    ASSERT_EQ(sent(), quota);
    auto limits = options.apps[0].limits;
    limits.quota.daily = 250;
    for (auto& each : members)
        each->courier->change_limits(0, limits);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), 250);
    limits.quota.daily.reset();
    for (auto& each : members)
        each->courier->change_limits(0, limits);
    time.advance(seconds{5});
    EXPECT_EQ(sent(), 600) << "no quota is configured, and WeChat is not asked";
}

TEST_F(fleet_quotas, a_quota_that_comes_with_a_change_counts_what_was_sent_before)
{
    options.apps[0].limits.quota.daily.reset();
    start_calm(2);
    append(0, 40);
    append(1, 40);
    time.advance(seconds{5});
    ASSERT_EQ(sent(), 80);
    auto limits = options.apps[0].limits;
    limits.quota.daily = quota;
    for (auto& each : members)
        each->courier->change_limits(0, limits);
    append(0, 100);
    append(1, 100);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), quota);
}

TEST_F(fleet_quotas, an_app_that_is_added_is_held_to_its_quota)
{
    start_calm(2);
    auto other = options.apps[0];
    other.name = "news";
    other.appid = "wx-news";
    other.token.origin = domain::token_origin::stable;
    accept_any_token();
    for (auto& each : members)
        each->courier->add_app(other, nullptr);
    for (int i = 0; i < 300; ++i)
        jobs.append(i % 2, job_text("news-" + std::to_string(i)).app("news").json(), time.wall_now());
    for (auto& each : members)
        each->source.tell_of_records();
    time.advance(seconds{30});
    EXPECT_EQ(sent(), quota);
}

TEST_F(fleet_quotas, a_dry_run_holds_itself_to_the_quota_and_leaves_the_real_one_alone)
{
    options.dry_run = true;
    quotas.emplace(time);
    quotas->say(1000, 1000);
    start_calm(2);
    append(0, 80);
    append(1, 80);
    time.advance(seconds{20});
    EXPECT_EQ(outcomes().size(), static_cast<std::size_t>(quota));
    EXPECT_EQ(sent(), 0);
    EXPECT_TRUE(quotas->calls.empty());
    for (auto& each : members)
        kill(*each);
    options.dry_run = false;
    auto& real = start();
    assign(real, 0);
    append(0, 80);
    time.advance(seconds{30});
    EXPECT_GE(sent(), 80);
}

// ------------------------------------------------------------------------------------------- what WeChat says

class learnt_quotas : public fleet_quotas {
protected:
    learnt_quotas()
    {
        options.apps[0].limits.quota.daily.reset();
        quotas.emplace(time);
        quotas->say(1000, 60);
    }
    void refuse_everything()
    {
        for (auto& each : members)
            each->pushes.otherwise = [](const auto&) { return answer(45009, "reach max api daily quota limit"); };
    }
};

TEST_F(learnt_quotas, without_a_quota_nothing_waits_for_anything)
{
    quotas->answer = [] { return engine::quota_reply{std::nullopt, 76021, "cgi_path not found"}; };
    start_calm(3);
    append(0, 500);
    append(1, 500);
    time.advance(seconds{20});
    EXPECT_EQ(sent(), 1000);
    EXPECT_EQ(quotas->calls.size(), 1U) << "a failure is no reason to ask on and on";
    EXPECT_EQ(said("quota_table"), 0U);
    EXPECT_LE(said("quota_report"), 2U) << "one word of each replica that sends";
    EXPECT_EQ(members[0]->metrics["wxcourier_app_halted"].with({"shop", ""}).value(), 0);
    time.advance(minutes{2});
    EXPECT_EQ(quotas->calls.size(), 2U);
}

TEST_F(learnt_quotas, a_call_that_nobody_uses_is_not_asked_about)
{
    start_calm(2);
    time.advance(minutes{5});
    EXPECT_TRUE(quotas->calls.empty());
    append(0, 1);
    time.advance(seconds{3});
    ASSERT_EQ(quotas->calls.size(), 1U) << "by the leader alone";
    EXPECT_EQ(quotas->calls[0].kind, "official.template");
}

TEST_F(learnt_quotas, what_wechat_says_is_left_is_shared_out)
{
    start_calm(3);
    append(0, 5);
    time.advance(seconds{3});
    quotas->say(1000, 0); // it is asked again when nothing is left
    for (int partition = 0; partition < 3; ++partition)
        append(partition, 100);
    time.advance(seconds{30});
    EXPECT_GE(sent(), 60);
    EXPECT_LE(sent(), 65);
    EXPECT_EQ(deferred().size(), 305U - static_cast<std::size_t>(sent()));
    until_midnight_and(milliseconds{-1});
    EXPECT_LE(sent(), 65);
    quotas->say(1000, 1000);
    time.advance(seconds{10});
    EXPECT_EQ(outcomes().size(), 305U);
}

TEST_F(learnt_quotas, a_large_quota_that_becomes_known_interrupts_nobody)
{
    quotas->say(100'000, 100'000);
    start_calm(2);
    for (int i = 0; i < 300; ++i) {
        append(1, 10);
        const auto before = sent();
        time.advance(milliseconds{10});
        if (i > 20) {
            EXPECT_EQ(sent(), before + 10) << "round " << i;
        }
    }
    EXPECT_GT(gauge(1, "wxcourier_quota_limit"), 100'000) << "what is left, and what was sent";
}

TEST_F(learnt_quotas, a_refusal_while_something_is_left_parks_for_short_and_longer_each_time)
{
    quotas->say(1000, 500);
    start_calm(1);
    append(0, 1);
    time.advance(seconds{3});
    refuse_everything();
    append(0, 1);
    std::vector<std::int64_t> waits;
    auto last = steady_time::min();
    time.advance(minutes{4});
    for (const auto& call : members[0]->pushes.calls) {
        if (last != steady_time::min())
            waits.push_back(std::chrono::duration_cast<seconds>(call.at - last).count());
        last = call.at;
    }
    ASSERT_GE(waits.size(), 4U);
    waits.erase(waits.begin());
    EXPECT_EQ(waits, (std::vector<std::int64_t>{15, 30, 60, 120}));
    EXPECT_GE(quotas->calls.size(), 3U) << "each is asked about, not too often";
}

TEST_F(learnt_quotas, a_refusal_where_wechat_says_that_nothing_is_left_is_for_the_rest_of_the_day)
{
    quotas->say(1000, 0);
    start_calm(2);
    refuse_everything();
    append(0, 20);
    append(1, 20);
    time.advance(seconds{20});
    const auto tries = sent();
    EXPECT_LE(tries, 40);
    EXPECT_EQ(deferred().size(), 40U);
    time.advance(minutes{5});
    EXPECT_EQ(sent(), tries) << "nobody tries again";
    accept_any_token();
    quotas->say(1000, 1000);
    until_midnight_and(seconds{10});
    EXPECT_EQ(outcomes().size(), 40U);
}

TEST_F(learnt_quotas, somebody_who_resets_wechats_counter_sets_the_group_going)
{
    stand_before_midnight(hours{2});
    quotas->say(1000, 0);
    start_calm(1);
    refuse_everything();
    append(0, 20);
    time.advance(seconds{20});
    accept_any_token();
    quotas->say(1000, 1000);
    time.advance(minutes{11});
    EXPECT_EQ(outcomes().size(), 20U);
}

TEST_F(learnt_quotas, without_an_answer_a_refusal_is_for_the_rest_of_the_day)
{
    quotas->refuse(48001);
    start_calm(1);
    refuse_everything();
    append(0, 1);
    time.advance(seconds{30});
    EXPECT_EQ(sent(), 2) << "once more when WeChat could have been asked";
    EXPECT_EQ(deferred().size(), 1U);
    until_midnight_and(milliseconds{-1});
    EXPECT_EQ(sent(), 2);
    time.advance(seconds{5});
    EXPECT_GE(sent(), 3);
}

TEST_F(learnt_quotas, a_new_leader_asks_anew_and_the_limit_holds_meanwhile)
{
    start_calm(3);
    append(1, 5);
    time.advance(seconds{3});
    auto* const first = leader();
    ASSERT_NE(first, nullptr);
    ASSERT_EQ(quotas->calls.size(), 1U);
    kill(*first);
    quotas->say(1000, 55);
    time.advance(seconds{20});
    append(1, 100);
    append(2, 100);
    time.advance(seconds{20});
    EXPECT_GE(quotas->calls.size(), 2U);
    EXPECT_LE(sent(), 65);
    EXPECT_GE(sent(), 50);
}

} // namespace
} // namespace wxcourier::test
