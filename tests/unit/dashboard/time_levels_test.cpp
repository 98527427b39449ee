// SPDX-License-Identifier: Apache-2.0
#include "dashboard/time_levels.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::noon;

constexpr std::array<level_shape, 2> small{{{seconds{1}, 10}, {seconds{60}, 10}}};

std::uint64_t counted(const time_levels& levels, std::size_t level, wall_time from, wall_time to)
{
    std::uint64_t sum = 0;
    levels.for_each(level, from, to, [&](wall_time, const time_levels::bucket_tally& counts) {
        for (const auto& cell : counts.cells())
            sum += cell.count;
    });
    return sum;
}

TEST(TimeLevels, CountsOnEveryLevelThatReachesBack)
{
    time_levels levels(small);
    levels.add(noon, 1, 5);
    levels.add(noon - seconds{30}, 1, 5); // older than ten seconds: on the coarse level only
    EXPECT_EQ(counted(levels, 0, noon - seconds{60}, noon + seconds{1}), 1U);
    EXPECT_EQ(counted(levels, 1, noon - seconds{60}, noon + seconds{60}), 2U);
    EXPECT_EQ(levels.level_for(noon - seconds{5}, noon, 100), 0U);
    EXPECT_EQ(levels.level_for(noon - seconds{30}, noon, 100), 1U);
    EXPECT_EQ(levels.level_for(noon - seconds{5}, noon, 3), 1U) << "no more buckets than asked for";
}

TEST(TimeLevels, TakesStatusesInAnyOrderAndForgetsTheOldest)
{
    time_levels levels(small);
    for (const int second : {5, 1, 9, 3})
        levels.add(noon + seconds{second}, 1, 5);
    EXPECT_EQ(counted(levels, 0, noon, noon + seconds{10}), 4U);
    levels.add(noon + seconds{14}, 1, 5);
    EXPECT_EQ(counted(levels, 0, noon, noon + seconds{20}), 3U) << "5, 9 and 14; 1 and 3 have left the ring";
    levels.add(noon + seconds{1}, 1, 5);
    EXPECT_EQ(counted(levels, 0, noon, noon + seconds{20}), 3U) << "and do not come back over younger ones";
}

TEST(TimeLevels, StaysWithinItsBoundAndSaysHowFarItReachesBack)
{
    time_levels levels(small, 12);
    for (int second = 0; second < 10; ++second)
        for (series_id series = 0; series < 3; ++series)
            levels.add(noon + seconds{second}, series, 5);
    EXPECT_LE(levels.cells(), 12U);
    EXPECT_GT(levels.reaches_back_to(0), noon);
    EXPECT_EQ(counted(levels, 0, noon + seconds{9}, noon + seconds{10}), 3U) << "the youngest are kept";
    EXPECT_EQ(counted(levels, 1, noon, noon + seconds{60}), 30U);
}

} // namespace
} // namespace wxcourier::dashboard
