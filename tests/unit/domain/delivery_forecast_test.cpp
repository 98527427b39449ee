// SPDX-License-Identifier: Apache-2.0
#include "common/rfc3339.hpp"
#include "domain/delivery_forecast.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace wxcourier::domain {
namespace {

using namespace std::chrono_literals;

const wall_time start = *parse_rfc3339("2026-11-24T09:00:00Z"); // 17:00 in China: 7 h to the reset
constexpr auto normal = priority::normal;

forecast_limits limits(double per_second, double burst)
{
    forecast_limits made;
    made.rate_per_second = per_second;
    made.burst = burst;
    return made;
}

delivery_forecast of(int messages, const forecast_limits& with)
{
    delivery_forecast made(with, start);
    for (int i = 0; i < messages; ++i)
        made.add(0, normal, start, std::nullopt);
    return made;
}

double takes(const forecast& seen)
{
    return std::chrono::duration<double>(seen.done_at - start).count();
}

TEST(delivery_forecast, nothing_takes_no_time)
{
    const auto seen = of(0, limits(200, 50)).run();
    EXPECT_EQ(seen.messages, 0U);
    EXPECT_EQ(seen.done_at, start);
}

TEST(delivery_forecast, what_the_burst_holds_goes_at_once_and_the_rest_at_the_rate)
{
    EXPECT_NEAR(takes(of(50, limits(200, 50)).run()), 0, 0.01);
    EXPECT_NEAR(takes(of(250, limits(200, 50)).run()), 1, 0.01);
    EXPECT_NEAR(takes(of(100'050, limits(200, 50)).run()), 500, 0.01);
}

TEST(delivery_forecast, senders_that_cannot_do_the_rate_are_what_counts)
{
    auto slow = limits(200, 50);
    slow.most_per_second = 80; // 8 at a time, 100 ms each
    EXPECT_NEAR(takes(of(800, slow).run()), 10, 0.01);
}

TEST(delivery_forecast, waits_for_the_time_of_a_message)
{
    auto made = of(100, limits(100, 1));
    made.add(0, normal, start + 1h, std::nullopt);
    made.add(0, normal, start + 2h, std::nullopt);
    EXPECT_NEAR(takes(made.run()), 7200, 0.2);
}

TEST(delivery_forecast, a_quota_stops_its_call_until_midnight_in_china)
{
    auto day = limits(100, 1);
    day.quota.daily = 1000;
    auto made = of(2500, day);
    for (int i = 0; i < 500; ++i)
        made.add(1, normal, start, std::nullopt);
    const auto seen = made.run();
    EXPECT_EQ(seen.sent, 3000U);
    ASSERT_EQ(seen.stops.size(), 2U);
    EXPECT_EQ(seen.stops[0].call, 0U);
    EXPECT_NEAR(std::chrono::duration<double>(seen.stops[0].used_up_at - start).count(), 15, 0.1)
        << "500 of each at 50/s, then 500 at 100/s";
    EXPECT_EQ(seen.stops[0].waiting, 1500U);
    EXPECT_EQ(seen.stops[0].goes_on_at, *parse_rfc3339("2026-11-24T16:00:00Z"));
    EXPECT_FALSE(seen.stops[0].reserve_left);
    EXPECT_EQ(seen.stops[1].waiting, 500U);
    EXPECT_EQ(seen.stops[1].goes_on_at, *parse_rfc3339("2026-11-25T16:00:00Z"));
    EXPECT_NEAR(takes(seen), 7 * 3600 + 86'400 + 5, 1.1);
}

TEST(delivery_forecast, the_reserve_is_for_high_priority)
{
    auto day = limits(1000, 1);
    day.quota = {1000, 20};
    auto made = of(900, day);
    for (int i = 0; i < 150; ++i)
        made.add(0, priority::high, start + 1min, std::nullopt);
    const auto seen = made.run();
    ASSERT_EQ(seen.stops.size(), 1U);
    EXPECT_TRUE(seen.stops[0].reserve_left);
    EXPECT_EQ(seen.stops[0].waiting, 100U);
    EXPECT_EQ(seen.sent, 1050U);
    EXPECT_NEAR(takes(seen), 7 * 3600, 1);
}

TEST(delivery_forecast, what_is_not_sent_in_time_expires)
{
    delivery_forecast made(limits(10, 1), start);
    for (int i = 0; i < 100; ++i)
        made.add(0, normal, start, start + 5s);
    made.add(0, normal, start, std::nullopt);
    const auto seen = made.run();
    EXPECT_NEAR(static_cast<double>(seen.sent), 52, 1.1);
    EXPECT_EQ(seen.sent + seen.expired, 101U);
    std::uint64_t named = 0;
    for (int i = 0; i < 100; ++i) {
        const bool gone = made.expires(0, normal, start, start + 5s);
        EXPECT_TRUE(gone || named == 0) << "the first ones are sent";
        named += gone ? 1U : 0U;
    }
    EXPECT_EQ(named, seen.expired);
    EXPECT_FALSE(made.expires(0, normal, start, std::nullopt));
}

TEST(delivery_forecast, high_priority_overtakes)
{
    delivery_forecast made(limits(100, 1), start);
    for (int i = 0; i < 8000; ++i)
        made.add(0, priority::low, start, start + 10s);
    for (int i = 0; i < 700; ++i)
        made.add(1, priority::high, start, start + 9s);
    const auto seen = made.run();
    EXPECT_NEAR(static_cast<double>(seen.sent), 1000, 3);
    std::uint64_t late = 0;
    for (int i = 0; i < 700; ++i)
        late += made.expires(1, priority::high, start, start + 9s) ? 1U : 0U;
    EXPECT_EQ(late, 0U);
}

TEST(delivery_forecast, a_million_different_times_take_little_memory)
{
    std::mt19937_64 random{5};
    delivery_forecast made(limits(10'000, 50), start);
    for (int i = 0; i < 300'000; ++i) {
        const auto ready = start + milliseconds{random() % 604'800'000};
        made.add(static_cast<std::uint32_t>(random() % 8), normal, ready, ready + 1h);
    }
    const auto seen = made.run();
    EXPECT_EQ(seen.sent, 300'000U);
    EXPECT_NEAR(takes(seen), 604'800, 120) << "to within a grain that grew";
}

TEST(delivery_forecast, many_days_of_quota_are_counted)
{
    auto day = limits(1000, 1);
    day.quota.daily = 10;
    const auto seen = of(3000, day).run();
    EXPECT_EQ(seen.stops.size(), delivery_forecast::most_stops);
    EXPECT_EQ(seen.stops.size() + seen.more_stops, 299U);
}

/// The send queue itself, with requests that take no time: when its last message goes, and how many expire.
forecast by_the_queue(double per_second, double burst, const std::vector<std::pair<milliseconds, milliseconds>>& times,
                      const std::vector<priority>& urgencies)
{
    send_queue queue({{per_second, burst, 100'000, 8}});
    const steady_time zero{std::chrono::hours{1000}};
    forecast seen;
    for (std::size_t i = 0; i < times.size(); ++i)
        queue.push(static_cast<queue_item>(i), {0, static_cast<std::uint32_t>(i % 3)}, urgencies[i],
                   zero + times[i].first);
    for (auto now = zero;; now = *queue.next_wakeup()) {
        while (const auto item = queue.pop(now)) {
            const bool late = now >= zero + times[*item].second;
            (late ? seen.expired : seen.sent) += 1;
            if (!late)
                seen.done_at = start + std::chrono::ceil<milliseconds>(now - zero);
            queue.release(*item, now);
        }
        if (!queue.next_wakeup())
            return seen;
    }
}

TEST(delivery_forecast, agrees_with_the_send_queue)
{
    std::mt19937_64 random{11};
    for (int round = 0; round < 60; ++round) {
        const double per_second = 5 + static_cast<double>(random() % 300);
        const double burst = 1 + static_cast<double>(random() % 60);
        const auto span = 1 + random() % 30'000;
        std::vector<std::pair<milliseconds, milliseconds>> times;
        std::vector<priority> urgencies;
        delivery_forecast made(limits(per_second, burst), start);
        for (int i = 0; i < 2000; ++i) {
            const milliseconds ready{100 * (random() % span / 100)};
            times.emplace_back(ready, 24h);
            urgencies.push_back(static_cast<priority>(random() % 3));
            made.add(static_cast<std::uint32_t>(i % 3), urgencies.back(), start + ready, start + 24h);
        }
        const auto real = by_the_queue(per_second, burst, times, urgencies);
        const auto seen = made.run();
        EXPECT_EQ(seen.sent, real.sent);
        EXPECT_NEAR(takes(seen), takes(real), 0.2 + 2 / per_second) << per_second << "/s, burst " << burst;
    }
}

} // namespace
} // namespace wxcourier::domain
