// SPDX-License-Identifier: Apache-2.0
#include "domain/token_refresh_plan.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const steady_time start{hours{1000}};
constexpr token_plan_limits stable{};
constexpr token_plan_limits classic{.origin = token_origin::classic, .renew_before = minutes{10}};

/// A plan whose first token came at `start` and lives for two hours.
token_refresh_plan with_token(token_plan_limits limits = stable)
{
    token_refresh_plan plan(limits);
    plan.on_call(plan.next_call(start), start);
    plan.on_token(start, hours{2}, false);
    return plan;
}

TEST(token_refresh_plan, wants_a_token_at_once)
{
    const token_refresh_plan plan(stable);
    EXPECT_LE(plan.due(), start);
    EXPECT_EQ(plan.health(start), token_health::missing);
    EXPECT_EQ(plan.generation(), 0U);
}

TEST(token_refresh_plan, asks_the_endpoint_of_its_source)
{
    EXPECT_EQ(token_refresh_plan(stable).next_call(start), token_call::stable);
    EXPECT_EQ(token_refresh_plan(classic).next_call(start), token_call::classic);
}

TEST(token_refresh_plan, a_token_is_good_until_it_expires)
{
    const auto plan = with_token();
    EXPECT_EQ(plan.generation(), 1U);
    EXPECT_EQ(plan.health(start), token_health::good);
    EXPECT_EQ(plan.health(start + hours{2} - seconds{1}), token_health::good);
    EXPECT_EQ(plan.health(start + hours{2}), token_health::missing);
    EXPECT_EQ(plan.reason(), "");
}

TEST(token_refresh_plan, renews_before_the_end_of_its_life)
{
    EXPECT_EQ(with_token(stable).due(), start + hours{2} - seconds{290});
    EXPECT_EQ(with_token(classic).due(), start + hours{2} - minutes{10});
}

TEST(token_refresh_plan, waits_half_of_a_short_life_and_never_less_than_a_second)
{
    for (const auto& [life, wait] : {std::pair{seconds{300}, seconds{150}},
                                     {seconds{10}, seconds{5}},
                                     {seconds{1}, seconds{1}},
                                     {seconds{0}, seconds{1}}})
    {
        token_refresh_plan plan(stable);
        plan.on_token(start, life, false);
        EXPECT_EQ(plan.due(), start + wait) << life.count();
    }
}

TEST(token_refresh_plan, the_same_token_given_again_is_no_new_generation)
{
    auto plan = with_token();
    plan.on_token(start + hours{1}, hours{1}, true);
    EXPECT_EQ(plan.generation(), 1U);
    EXPECT_EQ(plan.expires_at(), start + hours{2});
    EXPECT_EQ(plan.health(start + hours{1}), token_health::good);
}

TEST(token_refresh_plan, a_rejection_is_renewed_at_once_and_once)
{
    auto plan = with_token();
    EXPECT_TRUE(plan.on_rejected(1, start + minutes{1}));
    EXPECT_LE(plan.due(), start + minutes{1});
    EXPECT_EQ(plan.health(start + minutes{1}), token_health::renewing);
    for (int i = 0; i < 2000; ++i)
        EXPECT_FALSE(plan.on_rejected(1, start + minutes{1}));
    plan.on_token(start + minutes{1}, hours{2}, false);
    EXPECT_EQ(plan.health(start + minutes{1}), token_health::good);
    EXPECT_FALSE(plan.on_rejected(1, start + minutes{2})) << "an answer to a send with the old token";
    EXPECT_EQ(plan.health(start + minutes{2}), token_health::good);
}

TEST(token_refresh_plan, a_dead_token_given_again_leads_to_a_forced_call)
{
    auto plan = with_token();
    plan.on_accepted(1);
    ASSERT_TRUE(plan.on_rejected(1, start));
    ASSERT_EQ(plan.next_call(start), token_call::stable) << "the ordinary call first: another replica may have forced";
    plan.on_call(token_call::stable, start);
    plan.on_token(start, hours{1}, true);
    EXPECT_LE(plan.due(), start);
    EXPECT_EQ(plan.next_call(start), token_call::stable_forced);
    EXPECT_EQ(plan.health(start), token_health::renewing);
    plan.on_call(token_call::stable_forced, start);
    plan.on_token(start, hours{2}, false);
    EXPECT_EQ(plan.generation(), 2U);
    EXPECT_EQ(plan.health(start), token_health::good);
    EXPECT_EQ(plan.next_call(start), token_call::stable);
}

TEST(token_refresh_plan, forced_calls_keep_their_distance)
{
    auto plan = with_token();
    auto now = start;
    steady_time last_forced = steady_time::min();
    for (int i = 0; i < 500; ++i) {
        plan.on_accepted(plan.generation());
        static_cast<void>(plan.on_rejected(plan.generation(), now));
        now = std::max(now, plan.due());
        const auto call = plan.next_call(now);
        plan.on_call(call, now);
        if (call == token_call::stable_forced) {
            if (last_forced != steady_time::min()) {
                ASSERT_GE(now - last_forced, seconds{30});
            }
            last_forced = now;
        }
        plan.on_token(now, hours{2}, i % 4 != 3);
    }
}

TEST(token_refresh_plan, forced_calls_stay_within_the_day)
{
    auto plan = with_token();
    auto now = start;
    int forced = 0;
    while (now < start + hours{24}) {
        static_cast<void>(plan.on_rejected(plan.generation(), now));
        now = std::max(now, plan.due());
        const auto call = plan.next_call(now);
        plan.on_call(call, now);
        forced += call == token_call::stable_forced && now < start + hours{24} ? 1 : 0;
        plan.on_token(now, hours{2}, true);
        now += milliseconds{100};
    }
    EXPECT_LE(forced, 20);
    EXPECT_GE(forced, 1);
}

TEST(token_refresh_plan, a_second_token_that_never_worked_halts_the_app)
{
    auto plan = with_token();
    ASSERT_TRUE(plan.on_rejected(1, start));
    plan.on_token(start, hours{2}, false);
    ASSERT_EQ(plan.health(start), token_health::good);
    ASSERT_TRUE(plan.on_rejected(2, start));
    EXPECT_EQ(plan.health(start), token_health::halted);
    EXPECT_EQ(plan.reason(), "token_rejected");
    EXPECT_GE(plan.due(), start + seconds{30}) << "asked again slowly";
}

TEST(token_refresh_plan, a_token_that_worked_before_it_died_does_not_count_as_a_second_failure)
{
    auto plan = with_token();
    for (std::uint64_t generation = 1; generation <= 20; ++generation) {
        plan.on_accepted(generation);
        ASSERT_TRUE(plan.on_rejected(generation, start));
        ASSERT_EQ(plan.health(start), token_health::renewing);
        plan.on_token(start, hours{2}, false);
    }
}

TEST(token_refresh_plan, a_halted_app_recovers_with_the_next_token)
{
    auto plan = with_token();
    static_cast<void>(plan.on_rejected(1, start));
    plan.on_token(start, hours{2}, false);
    static_cast<void>(plan.on_rejected(2, start));
    ASSERT_EQ(plan.health(start), token_health::halted);
    plan.on_token(plan.due(), hours{2}, false);
    EXPECT_EQ(plan.health(plan.due()), token_health::good);
    EXPECT_EQ(plan.reason(), "");
}

TEST(token_refresh_plan, failures_without_an_answer_are_tried_again_with_backoff)
{
    token_refresh_plan plan(stable);
    auto now = start;
    for (const auto longest :
         {seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16}, seconds{32}, seconds{60}, seconds{60}})
    {
        plan.on_failure(now, {token_step::retry, "no_answer"}, 1.0);
        EXPECT_EQ(plan.due() - now, longest);
        EXPECT_EQ(plan.health(now), token_health::missing);
        now = plan.due();
    }
    plan.on_failure(now, {token_step::retry, "no_answer"}, 0.0);
    EXPECT_EQ(plan.due() - now, seconds{30}) << "half of it at least";
}

TEST(token_refresh_plan, the_old_token_stays_in_use_while_the_call_fails)
{
    auto plan = with_token();
    const auto now = plan.due();
    plan.on_failure(now, {token_step::retry, "no_answer"}, 0.5);
    EXPECT_EQ(plan.health(now), token_health::good);
    plan.on_failure(now, {token_step::halt, "wrong_secret"}, 0.5);
    EXPECT_EQ(plan.health(now), token_health::good) << "what we have still works";
    EXPECT_EQ(plan.health(plan.expires_at()), token_health::halted);
}

TEST(token_refresh_plan, a_wrong_credential_halts_with_its_reason_and_is_asked_slowly)
{
    token_refresh_plan plan(stable);
    plan.on_failure(start, {token_step::halt, "wrong_secret"}, 0.0);
    EXPECT_EQ(plan.health(start), token_health::halted);
    EXPECT_EQ(plan.reason(), "wrong_secret");
    EXPECT_EQ(plan.due(), start + seconds{30});
    for (int i = 0; i < 20; ++i)
        plan.on_failure(start, {token_step::halt, "wrong_secret"}, 1.0);
    EXPECT_EQ(plan.due(), start + minutes{10});
}

TEST(token_refresh_plan, quotas_and_confirmations_have_waits_of_their_own)
{
    const std::pair<token_step, steady_duration> rows[] = {{token_step::park_minute, minutes{1}},
                                                           {token_step::park_ten_minutes, minutes{10}},
                                                           {token_step::park_hour, hours{1}},
                                                           {token_step::park_day, hours{1}}};
    for (const auto& [step, wait] : rows) {
        token_refresh_plan plan(stable);
        plan.on_failure(start, {step, "token_quota_exhausted"}, 0.5);
        EXPECT_EQ(plan.due(), start + wait) << to_string(step);
        EXPECT_EQ(plan.health(start), token_health::missing);
        EXPECT_EQ(plan.reason(), "token_quota_exhausted");
    }
}

TEST(token_refresh_plan, a_token_ends_the_backoff)
{
    token_refresh_plan plan(stable);
    for (int i = 0; i < 6; ++i)
        plan.on_failure(start, {token_step::retry, "no_answer"}, 1.0);
    plan.on_token(start, hours{2}, false);
    plan.on_failure(start, {token_step::retry, "no_answer"}, 1.0);
    EXPECT_EQ(plan.due(), start + seconds{1});
}

TEST(token_refresh_plan, an_account_refusal_halts_until_the_next_token_call)
{
    auto plan = with_token();
    plan.on_account_refused(start, "app_halted");
    EXPECT_EQ(plan.health(start), token_health::halted);
    EXPECT_EQ(plan.reason(), "app_halted");
    const auto due = plan.due();
    EXPECT_GE(due, start + seconds{30});
    plan.on_account_refused(start + seconds{5}, "app_halted");
    EXPECT_EQ(plan.due(), due) << "answers of sends that were under way change nothing";
    plan.on_token(due, hours{1}, true);
    EXPECT_EQ(plan.health(due), token_health::good) << "the same token: the account may have been mended";
    EXPECT_EQ(plan.generation(), 2U);
}

TEST(token_refresh_plan, an_account_that_stays_refused_is_asked_more_and_more_slowly)
{
    auto plan = with_token();
    auto now = start;
    steady_duration longest{0};
    for (int i = 0; i < 10; ++i) {
        plan.on_account_refused(now, "app_halted");
        longest = plan.due() - now;
        now = plan.due();
        plan.on_token(now, hours{1}, true);
    }
    EXPECT_GE(longest, minutes{5});
    plan.on_accepted(plan.generation());
    plan.on_account_refused(now, "app_halted");
    EXPECT_LE(plan.due() - now, minutes{1}) << "it had worked again in between";
}

TEST(token_refresh_plan, an_operator_may_ask_at_once)
{
    auto plan = with_token();
    static_cast<void>(plan.on_rejected(1, start));
    plan.on_token(start, hours{2}, false);
    static_cast<void>(plan.on_rejected(2, start));
    ASSERT_GT(plan.due(), start);
    plan.renew_now();
    EXPECT_LE(plan.due(), start);
}

TEST(token_refresh_plan, a_used_up_budget_of_forced_calls_leaves_the_ordinary_call)
{
    auto plan = with_token();
    plan.on_accepted(1);
    ASSERT_TRUE(plan.on_rejected(1, start));
    plan.on_call(token_call::stable, start);
    plan.on_token(start, hours{1}, true);
    ASSERT_EQ(plan.next_call(start), token_call::stable_forced);
    plan.on_call(token_call::stable_forced, start);
    plan.on_failure(start, {token_step::park_day, "token_quota_exhausted"}, 0);
    EXPECT_EQ(plan.due(), start + seconds{30});
    EXPECT_EQ(plan.next_call(start + hours{23}), token_call::stable) << "others may get a new one";
    plan.on_call(token_call::stable, start + seconds{30});
    plan.on_token(start + seconds{30}, hours{2}, false);
    EXPECT_EQ(plan.health(start + seconds{30}), token_health::good);
}

TEST(token_refresh_plan, a_shared_server_is_not_asked_more_often_than_it_allows)
{
    token_refresh_plan plan({.origin = token_origin::shared, .calls_apart = seconds{20}});
    plan.on_call(plan.next_call(start), start);
    plan.on_token(start, hours{2}, false);
    ASSERT_TRUE(plan.on_rejected(1, start + seconds{1}));
    EXPECT_EQ(plan.due(), start + seconds{20});
    EXPECT_EQ(plan.next_call(start + seconds{20}), token_call::shared);
    plan.on_call(token_call::shared, start + seconds{20});
    plan.on_failure(start + seconds{21}, {token_step::retry, "no_answer"}, 0);
    EXPECT_EQ(plan.due(), start + seconds{40});
}

TEST(token_refresh_plan, a_shared_server_that_gives_the_dead_token_again_is_asked_ever_slower)
{
    token_refresh_plan plan({.origin = token_origin::shared, .calls_apart = seconds{1}});
    plan.on_token(start, hours{2}, false);
    ASSERT_TRUE(plan.on_rejected(1, start));
    auto now = start;
    int calls = 0;
    while (now < start + hours{1}) {
        ASSERT_EQ(plan.next_call(now), token_call::shared) << "never forced";
        plan.on_call(token_call::shared, now);
        plan.on_token(now, hours{2}, true);
        EXPECT_EQ(plan.health(now), token_health::renewing);
        ++calls;
        now = plan.due();
    }
    EXPECT_LE(calls, 130);
    plan.on_token(now, hours{2}, false);
    EXPECT_EQ(plan.health(now), token_health::good);
}

} // namespace
} // namespace wxcourier::domain
