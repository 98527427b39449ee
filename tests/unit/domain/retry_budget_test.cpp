// SPDX-License-Identifier: Apache-2.0
#include "domain/retry_budget.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace wxcourier::domain {
namespace {

using namespace std::chrono_literals;

const steady_time start{std::chrono::hours{1000}};

/// WeChat fails a part of the requests; every failed one wants to be repeated at once.
struct traffic {
    retry_budget budget{};
    steady_time now = start;
    std::mt19937_64 random{1};
    int requests = 0;
    int repeats = 0;
    int held = 0;

    void run(steady_duration time, int fresh_per_second, double failing)
    {
        requests = repeats = 0;
        std::bernoulli_distribution fails{failing};
        const auto answer = [&] {
            ++requests;
            const bool failed = fails(random);
            budget.on_answer(now, failed);
            held += failed ? 1 : 0;
        };
        for (const auto end = now + time; now < end;) {
            now += fresh_per_second > 0 ? steady_duration(1s) / fresh_per_second : 10ms;
            if (fresh_per_second > 0) {
                budget.on_first(now);
                answer();
            }
            while (held > 0 && budget.try_repeat(now)) {
                --held;
                ++repeats;
                answer();
                if (repeats > 100'000)
                    return;
            }
        }
    }
};

TEST(retry_budget, holds_repeats_to_a_tenth_of_the_requests_while_wechat_is_ill)
{
    for (const double failing : {0.3, 0.6, 1.0}) {
        traffic traffic;
        traffic.run(5s, 200, failing);
        traffic.run(1min, 200, failing);
        EXPECT_LE(traffic.repeats, traffic.requests / 10 + 60) << failing << " (one a second always goes)";
        EXPECT_GE(traffic.repeats, traffic.requests / 12) << failing;
        EXPECT_GT(traffic.held, 1000) << failing;
    }
}

TEST(retry_budget, holds_nothing_while_wechat_is_well)
{
    traffic traffic;
    traffic.run(1min, 200, 0.05);
    EXPECT_EQ(traffic.held, 0);
    EXPECT_NEAR(traffic.repeats, 630, 100);
}

TEST(retry_budget, few_messages_that_fail_are_no_illness)
{
    retry_budget budget;
    auto now = start;
    for (int attempt = 0; attempt < 50; ++attempt) { // a lone message that fails, every second or so
        now += 700ms;
        EXPECT_TRUE(budget.try_repeat(now));
        budget.on_answer(now, true);
    }
}

TEST(retry_budget, a_repeat_a_second_goes_without_any_traffic)
{
    traffic traffic;
    traffic.run(5s, 200, 1.0);
    traffic.run(5s, 0, 1.0);
    traffic.run(30s, 0, 1.0);
    EXPECT_GE(traffic.repeats, 28);
    // Once fewer than ten have failed in five seconds, nobody calls that an illness: three a second at most.
    EXPECT_LE(traffic.repeats, 90);
}

TEST(retry_budget, what_was_held_goes_as_soon_as_wechat_is_well)
{
    traffic traffic;
    traffic.run(10s, 200, 0.8);
    ASSERT_GT(traffic.held, 500);
    traffic.run(6s, 200, 0.0);
    EXPECT_EQ(traffic.held, 0);
}

TEST(retry_budget, forgets_failures_when_told_so)
{
    traffic traffic;
    traffic.run(3s, 200, 1.0);
    ASSERT_FALSE(traffic.budget.try_repeat(traffic.now));
    EXPECT_GT(traffic.budget.next_at(traffic.now), traffic.now);
    EXPECT_LE(traffic.budget.next_at(traffic.now), traffic.now + 100ms);
    traffic.budget.forget_failures();
    EXPECT_TRUE(traffic.budget.try_repeat(traffic.now));
}

TEST(retry_budget, a_long_silence_empties_the_window)
{
    traffic traffic;
    traffic.run(3s, 200, 1.0);
    EXPECT_TRUE(traffic.budget.ill(traffic.now));
    EXPECT_FALSE(traffic.budget.ill(traffic.now + 1h));
}

} // namespace
} // namespace wxcourier::domain
