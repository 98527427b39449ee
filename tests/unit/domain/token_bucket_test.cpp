// SPDX-License-Identifier: Apache-2.0
#include "domain/token_bucket.hpp"

#include <gtest/gtest.h>

#include <array>
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

TEST(token_bucket, a_new_rate_counts_from_now_on)
{
    token_bucket bucket(1, 1);
    EXPECT_TRUE(bucket.try_take(start));
    bucket.set_rate(1000, 1);
    EXPECT_FALSE(bucket.try_take(start + milliseconds{999})) << "what was taken under the old rate stays taken";
    EXPECT_TRUE(bucket.try_take(start + milliseconds{1000}));
    EXPECT_TRUE(bucket.try_take(start + milliseconds{1001}));
}

TEST(token_bucket, a_share_that_grows_brings_no_permits_with_it)
{
    token_bucket bucket(100, 50);
    bucket.share_rate(0, 0, start);
    EXPECT_FALSE(bucket.try_take(start + std::chrono::hours{1})) << "a share of nothing";
    const auto later = start + std::chrono::hours{1};
    bucket.share_rate(100, 50, later);
    EXPECT_FALSE(bucket.try_take(later + milliseconds{9}));
    EXPECT_TRUE(bucket.try_take(later + milliseconds{10}));
    int full = 0;
    while (bucket.try_take(later + seconds{10}))
        ++full;
    EXPECT_EQ(full, 50);
}

TEST(token_bucket, a_share_that_shrinks_keeps_what_it_may_hold)
{
    token_bucket bucket(100, 50);
    bucket.share_rate(50, 25, start);
    int left = 0;
    while (bucket.try_take(start))
        ++left;
    EXPECT_EQ(left, 25);
    EXPECT_FALSE(bucket.try_take(start + milliseconds{19}));
    EXPECT_TRUE(bucket.try_take(start + milliseconds{20}));
    bucket.share_rate(50, 25, start + milliseconds{20});
    EXPECT_FALSE(bucket.try_take(start + milliseconds{39})) << "nothing has changed";
    EXPECT_TRUE(bucket.try_take(start + milliseconds{40}));
}

TEST(token_bucket, what_a_higher_burst_had_granted_stays_owed_whatever_the_share)
{
    token_bucket bucket(100, 11);
    for (int i = 0; i < 11; ++i)
        EXPECT_TRUE(bucket.try_take(start));
    bucket.set_rate(100, 1);
    bucket.share_rate(0, 0, start);
    bucket.share_rate(50, 1, start);
    EXPECT_FALSE(bucket.try_take(start + milliseconds{219}));
    EXPECT_TRUE(bucket.try_take(start + milliseconds{221})) << "eleven permits at 50 a second";
}

/// Buckets that divide one rate, however the shares move, grant no more than one bucket would, but for single permits.
TEST(token_bucket, shares_of_one_rate_never_grant_more_than_it)
{
    constexpr double rate = 200;
    constexpr double burst = 30;
    constexpr int replicas = 3;
    for (unsigned seed = 1; seed <= 12; ++seed) {
        std::mt19937_64 random(seed);
        std::vector<token_bucket> buckets(replicas, token_bucket(rate, burst));
        for (auto& each : buckets)
            each.share_rate(0, 0, start);
        std::vector<steady_time> grants;
        for (auto now = start; now < start + seconds{10}; now += milliseconds{1}) {
            if (random() % 200 == 0) {
                const auto first = static_cast<double>(random() % 5) / 4;
                const auto second = (1 - first) * static_cast<double>(random() % 5) / 4;
                const std::array<double, replicas> shares{first, second, 1 - first - second};
                for (std::size_t i = 0; i < buckets.size(); ++i)
                    buckets[i].share_rate(rate * shares.at(i), burst * shares.at(i), now);
            }
            for (auto& each : buckets)
                while (random() % 8 != 0 && each.try_take(now))
                    grants.push_back(now);
        }
        for (std::size_t first = 0; first < grants.size(); first += 31)
            for (std::size_t last = first; last < grants.size(); ++last) {
                const auto window = std::chrono::duration<double>(grants[last] - grants[first]).count();
                ASSERT_LE(static_cast<double>(last - first + 1), burst + replicas + rate * window + 1e-6) << seed;
            }
    }
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
