// SPDX-License-Identifier: Apache-2.0
#include "config/durations.hpp"

#include <gtest/gtest.h>

namespace wxcourier::config {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreANumberAndAUnit)
{
    EXPECT_EQ(std::get<milliseconds>(parse_duration("250ms")), 250ms);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("3s")), 3s);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("10m")), 10min);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("6h")), 6h);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("7d")), 7 * 24h);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("0s")), 0ms);
    EXPECT_EQ(std::get<milliseconds>(parse_duration("010s")), 10s) << "digits are decimal";
}

TEST(Durations, WithoutAUnitAreAProblemOfTheirOwn)
{
    EXPECT_EQ(std::get<duration_problem>(parse_duration("10")), duration_problem::no_unit);
}

TEST(Durations, AreNothingElse)
{
    for (const auto* text : {"", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1sec", "1h30m", "1us", "0x1s"})
        EXPECT_EQ(std::get<duration_problem>(parse_duration(text)), duration_problem::not_a_duration) << text;
}

TEST(Durations, BeyondSixtyFourBitsAreTooLong)
{
    for (const auto* text : {"9223372036854775808ms", "106751991168d", "99999999999999999999s"})
        EXPECT_EQ(std::get<duration_problem>(parse_duration(text)), duration_problem::too_long) << text;
    EXPECT_EQ(std::get<milliseconds>(parse_duration("9223372036854775807ms")).count(), 9223372036854775807);
}

TEST(Durations, AreShownInTheLargestWholeUnit)
{
    EXPECT_EQ(format_duration(0ms), "0ms");
    EXPECT_EQ(format_duration(1500ms), "1500ms");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(2min), "2m");
    EXPECT_EQ(format_duration(48h), "2d");
}

} // namespace
} // namespace wxcourier::config
