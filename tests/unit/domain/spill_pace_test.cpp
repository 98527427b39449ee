// SPDX-License-Identifier: Apache-2.0
#include "domain/spill_pace.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const wall_time now{hours{1000}};
const steady_time start{hours{1}};

TEST(spill_pace, jobs_come_back_one_after_another_at_the_apps_pace)
{
    spill_pace pace(200);
    EXPECT_EQ(pace.next(now, now, 1), now);
    EXPECT_EQ(pace.next(now, now, 1), now + milliseconds{5});
    EXPECT_EQ(pace.next(now, now, 100), now + milliseconds{10});
    EXPECT_EQ(pace.next(now, now, 1), now + milliseconds{510});
}

TEST(spill_pace, fast_jobs_are_less_than_a_millisecond_apart)
{
    spill_pace pace(4000);
    for (int i = 0; i < 4000; ++i)
        pace.next(now, now, 1);
    EXPECT_EQ(pace.next(now, now, 1), now + seconds{1});
}

TEST(spill_pace, none_comes_before_it_may_and_none_too_late)
{
    spill_pace pace(10);
    EXPECT_EQ(pace.next(now + minutes{5}, now, 1), now + minutes{5});
    EXPECT_EQ(pace.next(now + minutes{5}, now, 1), now + minutes{5} + milliseconds{100});
    for (int i = 0; i < 20'000; ++i)
        pace.next(now, now, 1);
    EXPECT_EQ(pace.next(now, now, 1), now + minutes{10});
}

TEST(spill_pace, time_that_passes_makes_room)
{
    spill_pace pace(1);
    for (int i = 0; i < 10; ++i)
        pace.next(now, now, 1);
    EXPECT_EQ(pace.next(now + hours{1}, now + hours{1}, 1), now + hours{1});
}

TEST(spill_pace, follows_what_is_measured_while_there_is_work)
{
    spill_pace pace(200);
    pace.measure(start, true);
    for (int second = 1; second <= 30; ++second) {
        pace.note_ended(10);
        pace.measure(start + seconds{second}, true);
    }
    EXPECT_NEAR(pace.per_second(), 10, 1);
    for (int second = 31; second <= 60; ++second)
        pace.measure(start + seconds{second}, false);
    EXPECT_NEAR(pace.per_second(), 10, 1) << "an app without work, or held up, says nothing about its pace";
}

TEST(spill_pace, an_app_that_stands_still_is_looked_at_again)
{
    spill_pace pace(200);
    pace.measure(start, true);
    for (int second = 1; second <= 600; ++second)
        pace.measure(start + seconds{second}, true);
    pace.next(now, now, 1);
    EXPECT_EQ(pace.next(now, now, 1), now + seconds{1});
}

} // namespace
} // namespace wxcourier::domain
