// SPDX-License-Identifier: Apache-2.0
#include "simulator/quota_ledger.hpp"

#include <gtest/gtest.h>

namespace wxcourier::simulator {
namespace {

constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{4}};

struct quota_ledger_test : testing::Test {
    quota_ledger_test()
    {
        rules.minute_quota = 2;
        rules.day_quota = 3;
    }

    settings rules;
    quota_ledger ledger{rules};
    wall_time now = noon;
    const endpoint& send = *find_endpoint("/cgi-bin/message/template/send");
    const endpoint& custom = *find_endpoint("/cgi-bin/message/custom/send");
};

TEST_F(quota_ledger_test, the_minute_quota_ends_with_the_calendar_minute)
{
    now += seconds{59};
    EXPECT_EQ(ledger.take("wx1", send, now), 0);
    EXPECT_EQ(ledger.take("wx1", send, now), 0);
    EXPECT_EQ(ledger.take("wx1", send, now), 45011);
    now += seconds{1};
    EXPECT_EQ(ledger.take("wx1", send, now), 0);
}

TEST_F(quota_ledger_test, the_day_quota_ends_at_midnight_in_china)
{
    rules.minute_quota = 0;
    now += std::chrono::hours{12} - milliseconds{1};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ledger.take("wx1", send, now), 0);
    }
    EXPECT_EQ(ledger.take("wx1", send, now), 45009);
    now += milliseconds{1};
    EXPECT_EQ(ledger.take("wx1", send, now), 0);
}

TEST_F(quota_ledger_test, apps_and_calls_are_counted_apart)
{
    rules.day_quota = 1;
    EXPECT_EQ(ledger.take("wx1", send, now), 0);
    EXPECT_EQ(ledger.take("wx1", custom, now), 0);
    EXPECT_EQ(ledger.take("wx2", send, now), 0);
    EXPECT_EQ(ledger.take("wx1", send, now), 45009);
}

TEST_F(quota_ledger_test, a_refused_call_is_not_counted)
{
    for (int i = 0; i < 10; ++i) {
        ledger.take("wx1", send, now);
    }
    EXPECT_EQ(ledger.today("wx1", send, now).day_used, 2U);
}

TEST_F(quota_ledger_test, the_token_calls_have_their_published_quotas)
{
    const endpoint& token = *find_endpoint("/cgi-bin/token");
    for (int i = 0; i < 2'000; ++i) {
        ASSERT_EQ(ledger.take("wx1", token, now), 0);
    }
    EXPECT_EQ(ledger.take("wx1", token, now), 45009);
}

TEST_F(quota_ledger_test, an_owner_clears_ten_times_a_month)
{
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(ledger.clear_by_owner("wx1", nullptr, now));
    }
    ledger.take("wx1", send, now);
    EXPECT_FALSE(ledger.clear_by_owner("wx1", nullptr, now));
    EXPECT_EQ(ledger.today("wx1", send, now).day_used, 1U);
    EXPECT_TRUE(ledger.clear_by_owner("wx1", nullptr, now + std::chrono::days{9}));
}

} // namespace
} // namespace wxcourier::simulator
