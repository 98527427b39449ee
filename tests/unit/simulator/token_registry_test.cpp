// SPDX-License-Identifier: Apache-2.0
#include "simulator/token_registry.hpp"

#include <gtest/gtest.h>

namespace wxcourier::simulator {
namespace {

constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{4}};

struct token_registry_test : testing::Test {
    int errcode(const std::string& token) { return registry.find(token, now).errcode; }

    settings rules;
    dice random{1};
    token_registry registry{rules, random};
    wall_time now = noon;
};

TEST_F(token_registry_test, a_classic_call_replaces_the_token_which_keeps_working_for_the_grace)
{
    const auto first = registry.issue_classic("wx1", now);
    const auto second = registry.issue_classic("wx1", now);
    EXPECT_NE(first.token, second.token);
    EXPECT_EQ(second.expires_in, seconds{7200});
    now += seconds{299};
    EXPECT_EQ(errcode(first.token), 0);
    now += seconds{1};
    EXPECT_EQ(errcode(first.token), 40001);
    EXPECT_EQ(errcode(second.token), 0);
}

TEST_F(token_registry_test, two_classic_calls_end_the_token_before_them_at_once)
{
    const auto leaked = registry.issue_classic("wx1", now);
    registry.issue_classic("wx1", now);
    registry.issue_classic("wx1", now);
    EXPECT_EQ(errcode(leaked.token), 40001);
}

TEST_F(token_registry_test, a_token_expires_with_42001_and_an_unknown_one_is_40001)
{
    const auto token = registry.issue_classic("wx1", now);
    now += seconds{7200};
    EXPECT_EQ(errcode(token.token), 42001);
    EXPECT_EQ(errcode("nobody's"), 40001);
}

TEST_F(token_registry_test, the_stable_call_repeats_its_token_with_the_time_left)
{
    const auto first = registry.issue_stable("wx1", false, now);
    now += seconds{6000};
    const auto again = registry.issue_stable("wx1", false, now);
    EXPECT_EQ(first->token, again->token);
    EXPECT_EQ(again->expires_in, seconds{1200});
    EXPECT_FALSE(again->fresh);
}

TEST_F(token_registry_test, the_stable_token_rolls_over_when_five_minutes_remain_and_both_work)
{
    const auto first = registry.issue_stable("wx1", false, now);
    now += seconds{6900};
    const auto second = registry.issue_stable("wx1", false, now);
    EXPECT_NE(first->token, second->token);
    EXPECT_EQ(errcode(first->token), 0);
    now += seconds{300};
    EXPECT_NE(errcode(first->token), 0);
    EXPECT_EQ(errcode(second->token), 0);
}

TEST_F(token_registry_test, a_short_lifetime_rolls_over_at_its_half)
{
    rules.token_lifetime = seconds{10};
    const auto first = registry.issue_stable("wx1", false, now);
    now += seconds{4};
    EXPECT_EQ(registry.issue_stable("wx1", false, now)->token, first->token);
    now += seconds{1};
    EXPECT_NE(registry.issue_stable("wx1", false, now)->token, first->token);
}

TEST_F(token_registry_test, forcing_replaces_but_not_within_thirty_seconds_of_the_last_time)
{
    const auto first = registry.issue_stable("wx1", true, now);
    now += seconds{29};
    EXPECT_EQ(registry.issue_stable("wx1", true, now)->token, first->token);
    now += seconds{1};
    EXPECT_NE(registry.issue_stable("wx1", true, now)->token, first->token);
}

TEST_F(token_registry_test, the_twenty_first_force_of_a_day_in_china_is_refused)
{
    now = noon - std::chrono::hours{4}; // 08:00 in China
    for (int i = 0; i < 20; ++i, now += seconds{30}) {
        ASSERT_TRUE(registry.issue_stable("wx1", true, now));
    }
    EXPECT_FALSE(registry.issue_stable("wx1", true, now));
    EXPECT_TRUE(registry.issue_stable("wx1", false, now)) << "an unforced call goes on working";
    EXPECT_TRUE(registry.issue_stable("wx2", true, now)) << "another app has its own count";
    now = noon + std::chrono::hours{12}; // midnight there
    EXPECT_TRUE(registry.issue_stable("wx1", true, now));
}

TEST_F(token_registry_test, the_two_endpoints_do_not_touch_each_other)
{
    const auto stable = registry.issue_stable("wx1", false, now);
    registry.issue_classic("wx1", now);
    registry.issue_classic("wx1", now);
    now += seconds{600};
    EXPECT_EQ(errcode(stable->token), 0);
}

TEST_F(token_registry_test, expiring_ends_the_tokens_of_one_app)
{
    const auto mine = registry.issue_classic("wx1", now);
    const auto other = registry.issue_classic("wx2", now);
    EXPECT_EQ(registry.expire("wx1", 40014, false, now), 1U);
    EXPECT_EQ(errcode(mine.token), 40014);
    EXPECT_EQ(errcode(other.token), 0);
    EXPECT_EQ(registry.expire("", 42001, false, now), 1U);
    EXPECT_EQ(errcode(other.token), 42001);
}

TEST_F(token_registry_test, an_expired_stable_token_is_replaced_by_the_next_call)
{
    const auto first = registry.issue_stable("wx1", false, now);
    registry.expire("wx1", 42001, false, now);
    const auto second = registry.issue_stable("wx1", false, now);
    EXPECT_NE(first->token, second->token);
    EXPECT_EQ(errcode(second->token), 0);
}

TEST_F(token_registry_test, a_token_dead_until_forced_is_handed_out_until_then)
{
    const auto first = registry.issue_stable("wx1", false, now);
    registry.expire("wx1", 40001, true, now);
    EXPECT_EQ(registry.issue_stable("wx1", false, now)->token, first->token);
    const auto forced = registry.issue_stable("wx1", true, now);
    EXPECT_EQ(errcode(forced->token), 0);
    EXPECT_EQ(registry.issue_stable("wx1", false, now)->token, forced->token);
}

} // namespace
} // namespace wxcourier::simulator
