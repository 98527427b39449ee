// SPDX-License-Identifier: Apache-2.0
#include "domain/adaptive_pace.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <random>

namespace wxcourier::domain {
namespace {

using namespace std::chrono_literals;

const steady_time start{std::chrono::hours{1000}};

push_reply answer(int errcode, milliseconds latency = 50ms)
{
    push_reply reply;
    reply.reach = reach::answered;
    reply.http_status = 200;
    reply.errcode = errcode;
    reply.latency = latency;
    return reply;
}

push_reply http(int status)
{
    push_reply reply;
    reply.reach = reach::answered;
    reply.http_status = status;
    return reply;
}

push_reply timed_out()
{
    push_reply reply;
    reply.reach = reach::unknown;
    reply.failure = transport_failure::timeout;
    reply.latency = 10s;
    return reply;
}

/// A lane that sends as fast as it may for `time`, each answered as `far_end(number)` says.
struct sender {
    adaptive_pace pace{};
    double ceiling = 200;
    steady_time now = start;
    int sent = 0;
    double lowest = 1;

    void run(steady_duration time, const std::function<push_reply(int)>& far_end, double demand = 1e9)
    {
        const auto end = now + time;
        while (now < end) {
            const double rate = std::min(demand, pace.fraction() * ceiling);
            now += std::chrono::duration_cast<steady_duration>(std::chrono::duration<double>(1 / rate));
            const auto reply = far_end(sent++);
            pace.on_answer(reply, now - reply.latency, ceiling, now);
            lowest = std::min(lowest, pace.fraction());
        }
    }
};

push_reply good(int)
{
    return answer(0);
}

TEST(adaptive_pace, stays_at_the_ceiling_while_all_is_well)
{
    sender sender;
    sender.run(10min, good);
    EXPECT_EQ(sender.lowest, 1);
    EXPECT_EQ(sender.pace.reason(), pace_reason::none);
    EXPECT_NEAR(sender.sent, 120'000, 10) << "all of 200/s x 600 s";
}

TEST(adaptive_pace, noise_of_latency_costs_a_healthy_far_end_nothing)
{
    // Log-normal about 60 ms with a heavy tail, every tenth answer ten times as slow, a stall of half a second now and
    // then, and a slow drift by half over the day.
    std::mt19937_64 random{7};
    std::lognormal_distribution<> spread{std::log(60), 0.8};
    sender sender;
    sender.run(30min, [&](int number) {
        double latency = spread(random) * (1 + 0.5 * std::sin(number / 50'000.0));
        if (number % 10 == 0)
            latency *= 10;
        if (number % 5000 < 100)
            latency += 500;
        return answer(0, milliseconds(static_cast<int>(latency)));
    });
    EXPECT_EQ(sender.lowest, 1);
}

TEST(adaptive_pace, single_blips_change_nothing)
{
    sender sender;
    sender.run(5min, [](int number) {
        if (number % 1000 == 500)
            return answer(-1);
        if (number % 1700 < 3)
            return timed_out();
        if (number % 4100 == 7)
            return http(429);
        return answer(0);
    });
    EXPECT_EQ(sender.lowest, 1);
}

TEST(adaptive_pace, one_of_twenty_failing_is_lived_with)
{
    std::mt19937_64 random{3};
    sender sender;
    sender.run(5min, [&](int) { return answer(random() % 20 == 0 ? -1 : 0); });
    EXPECT_EQ(sender.lowest, 1);
}

struct pushback {
    push_reply reply;
    pace_reason reason;
};

TEST(adaptive_pace, each_kind_of_pushback_lowers_the_pace_within_two_seconds)
{
    for (const auto& [reply, reason] :
         {pushback{answer(-1), pace_reason::system_busy}, pushback{http(429), pace_reason::too_many_requests},
          pushback{http(503), pace_reason::too_many_requests}, pushback{timed_out(), pace_reason::timeout},
          pushback{answer(45011), pace_reason::minute_limit}})
    {
        sender sender;
        sender.run(10s, good);
        sender.run(2s, [&](int number) { return number % 3 == 0 ? reply : answer(0); });
        EXPECT_LE(sender.pace.fraction(), 0.55) << to_string(reason);
        EXPECT_EQ(sender.pace.reason(), reason);
    }
}

TEST(adaptive_pace, a_refusal_of_one_message_says_nothing)
{
    sender sender;
    sender.run(1min, [](int number) { return answer(number % 2 == 0 ? 43101 : 40003); });
    EXPECT_EQ(sender.lowest, 1);
}

TEST(adaptive_pace, goes_down_step_by_step_while_it_is_pushed_back_and_never_to_nothing)
{
    sender sender;
    sender.run(2min, [](int) { return answer(-1); });
    EXPECT_NEAR(sender.pace.fraction(), 0.01, 1e-9) << "two a second of 200";
    sender.ceiling = 0.5;
    sender.pace = adaptive_pace{};
    sender.run(5min, [](int) { return answer(-1); });
    EXPECT_EQ(sender.pace.fraction(), 1) << "a message a second always goes";
}

TEST(adaptive_pace, is_back_at_the_ceiling_40_s_after_all_is_well)
{
    sender sender;
    sender.run(1min, [](int) { return answer(-1); });
    EXPECT_LT(sender.pace.fraction(), 0.02);
    sender.run(15s, good);
    EXPECT_GT(sender.pace.fraction(), 0.3);
    EXPECT_LT(sender.pace.fraction(), 0.6) << "by addition, not at a bound";
    EXPECT_EQ(sender.pace.reason(), pace_reason::system_busy) << "still what it went down for";
    sender.run(25s, good); // ten of the forty are for the window that was open
    EXPECT_EQ(sender.pace.fraction(), 1);
    EXPECT_EQ(sender.pace.reason(), pace_reason::none);
}

TEST(adaptive_pace, recovers_under_little_traffic_too)
{
    sender sender;
    sender.run(10s, [](int) { return answer(-1); });
    ASSERT_LT(sender.pace.fraction(), 0.1);
    sender.run(45s, good, 0.2);
    EXPECT_EQ(sender.pace.fraction(), 1);
}

TEST(adaptive_pace, requests_under_way_count_once)
{
    adaptive_pace pace;
    auto now = start;
    for (int i = 0; i < 200; ++i) { // a second's worth, all begun before the first of them was answered
        now += 5ms;
        pace.on_answer(answer(-1), start, 200, now);
    }
    pace.on_answer(answer(-1), start, 200, now + 5ms);
    const auto after_one = pace.fraction();
    EXPECT_NEAR(after_one, 0.5, 0.01);
    for (int i = 0; i < 1000; ++i)
        pace.on_answer(answer(-1), start, 200, now + 10ms * i);
    EXPECT_EQ(pace.fraction(), after_one);
}

TEST(adaptive_pace, goes_down_from_what_really_went)
{
    sender sender;
    sender.run(
        30s, [](int) { return answer(-1); }, 20);
    EXPECT_LT(sender.pace.fraction(), 0.06)
        << "half of 20/s is a twentieth of 200/s; half of 200/s would change nothing";
}

TEST(adaptive_pace, finds_what_a_far_end_can_do)
{
    // WeChat does 80 a second and refuses the rest with -1.
    sender sender;
    double allowance = 0;
    auto last = sender.now;
    int accepted = 0;
    const auto far_end = [&](int) {
        allowance = std::min(8.0, allowance + 80 * std::chrono::duration<double>(sender.now - last).count());
        last = sender.now;
        if (allowance < 1)
            return answer(-1);
        --allowance;
        ++accepted;
        return answer(0);
    };
    sender.run(1min, far_end);
    const auto sent_before = sender.sent;
    accepted = 0;
    sender.run(5min, far_end);
    const double refused = 1 - static_cast<double>(accepted) / (sender.sent - sent_before);
    EXPECT_GT(accepted / 300.0, 60) << "three quarters of what it can do";
    EXPECT_LT(refused, 0.15) << "without the rule 60 % would be refused";
}

TEST(adaptive_pace, rising_latency_lowers_it)
{
    sender sender;
    sender.run(1min, [](int) { return answer(0, 60ms); });
    sender.run(8s, [](int) { return answer(0, 900ms); });
    EXPECT_LT(sender.pace.fraction(), 0.75);
    EXPECT_EQ(sender.pace.reason(), pace_reason::latency);
    sender.run(45s, [](int) { return answer(0, 60ms); });
    EXPECT_EQ(sender.pace.fraction(), 1);
}

TEST(adaptive_pace, latency_that_helps_nobody_to_slow_down_for_becomes_the_usual_one)
{
    sender sender;
    sender.run(1min, [](int) { return answer(0, 60ms); });
    sender.run(3min, [](int) { return answer(0, 900ms); }); // whatever the pace
    EXPECT_LT(sender.lowest, 1);
    EXPECT_EQ(sender.pace.fraction(), 1);
}

TEST(adaptive_pace, begins_with_a_quarter_after_an_outage)
{
    sender sender;
    sender.run(10s, good);
    EXPECT_TRUE(sender.pace.on_outage_over(sender.now));
    EXPECT_EQ(sender.pace.fraction(), 0.25);
    EXPECT_EQ(sender.pace.reason(), pace_reason::outage);
    EXPECT_FALSE(sender.pace.on_outage_over(sender.now)) << "not lower than that";
    sender.run(25s, good);
    EXPECT_EQ(sender.pace.fraction(), 1);
}

TEST(adaptive_pace, follows_a_ceiling_that_moves)
{
    sender sender;
    sender.run(10s, [](int) { return answer(-1); });
    const auto before = sender.pace.fraction();
    sender.ceiling = 20;
    sender.run(50s, good);
    EXPECT_LT(before, 0.2);
    EXPECT_EQ(sender.pace.fraction(), 1);
}

} // namespace
} // namespace wxcourier::domain
