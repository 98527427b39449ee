// SPDX-License-Identifier: Apache-2.0
#include "domain/token_bucket.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

const steady_time start{hours{1000}};

int take_all(token_bucket& bucket, steady_time now)
{
    int taken = 0;
    while (taken < 1'000'000 && bucket.try_take(now))
        ++taken;
    return taken;
}

TEST(token_bucket, starts_full)
{
    token_bucket bucket(10, 5);
    EXPECT_EQ(take_all(bucket, start), 5);
    EXPECT_FALSE(bucket.try_take(start));
}

TEST(token_bucket, gives_the_sustained_rate_once_the_burst_is_gone)
{
    token_bucket bucket(10, 5);
    take_all(bucket, start);
    EXPECT_EQ(bucket.next_at(), start + milliseconds{100});
    EXPECT_FALSE(bucket.try_take(start + milliseconds{100} - nanoseconds{1}));
    EXPECT_TRUE(bucket.try_take(start + milliseconds{100}));
    EXPECT_EQ(take_all(bucket, start + milliseconds{300}), 2);
}

TEST(token_bucket, fills_up_to_the_burst_and_no_further)
{
    token_bucket bucket(10, 5);
    take_all(bucket, start);
    EXPECT_EQ(take_all(bucket, start + hours{10}), 5);
}

TEST(token_bucket, keeps_slow_rates_exactly)
{
    token_bucket bucket(0.01, 1);
    EXPECT_TRUE(bucket.try_take(start));
    EXPECT_FALSE(bucket.try_take(start + seconds{100} - nanoseconds{1}));
    EXPECT_TRUE(bucket.try_take(start + seconds{100}));
}

TEST(token_bucket, reservations_are_spaced_as_permits_are)
{
    token_bucket bucket(10, 2);
    for (const auto wait : {0, 0, 100, 200, 300})
        EXPECT_EQ(bucket.reserve(start), start + milliseconds{wait});
    EXPECT_FALSE(bucket.try_take(start + milliseconds{399}));
    EXPECT_EQ(bucket.reserve(start + seconds{5}), start + seconds{5});
}

TEST(token_bucket, a_new_rate_counts_from_now_on)
{
    token_bucket bucket(1, 1);
    EXPECT_TRUE(bucket.try_take(start));
    bucket.set_rate(1000, 1);
    EXPECT_FALSE(bucket.try_take(start + milliseconds{999})) << "what was taken under the old rate stays taken";
    EXPECT_TRUE(bucket.try_take(start + milliseconds{1000}));
    EXPECT_TRUE(bucket.try_take(start + milliseconds{1001}));
}

/// The promise itself: for every pair of grants, what lies between them (both included) fits the window they span.
TEST(token_bucket, never_grants_more_than_burst_and_rate_times_window_in_any_window)
{
    for (unsigned seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 random(seed);
        const double rate = std::uniform_real_distribution<>(0.2, 3000)(random);
        const double burst = 1 + static_cast<double>(random() % 60);
        token_bucket bucket(rate, burst);
        std::vector<steady_time> grants;
        auto now = start;
        std::exponential_distribution<> gap(rate * (0.3 + static_cast<double>(random() % 30) / 10));
        for (int i = 0; i < 400; ++i) {
            now += nanoseconds(static_cast<std::int64_t>(gap(random) * 1e9));
            if (random() % 50 == 0)
                now += nanoseconds(static_cast<std::int64_t>(1e9 * burst / rate)); // idle for long
            if (bucket.try_take(now))
                grants.push_back(now);
            else
                ASSERT_GT(bucket.next_at(), now);
        }
        for (std::size_t first = 0; first < grants.size(); ++first)
            for (std::size_t last = first; last < grants.size(); ++last) {
                const double window = std::chrono::duration<double>(grants[last] - grants[first]).count();
                ASSERT_LE(static_cast<double>(last - first + 1), burst + rate * window + 1e-6) << "seed " << seed;
            }
    }
}

/// … and it grants no less: whoever takes at `next_at` always gets the full rate.
TEST(token_bucket, grants_the_full_rate_to_one_who_waits_for_it)
{
    for (const double rate : {0.5, 3.0, 200.0, 7777.0}) {
        token_bucket bucket(rate, 20);
        auto now = start;
        int taken = 0;
        while (now < start + seconds{60}) {
            ASSERT_TRUE(bucket.try_take(now));
            ++taken;
            now = std::max(now, bucket.next_at());
        }
        EXPECT_NEAR(taken, rate * 60 + 20, 1 + rate * 60 * 1e-4) << "rate " << rate;
    }
}

} // namespace
} // namespace wxcourier::domain
