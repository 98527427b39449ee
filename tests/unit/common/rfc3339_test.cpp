// SPDX-License-Identifier: Apache-2.0
#include "common/rfc3339.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <random>

namespace wxcourier {
namespace {

wall_time at(std::int64_t ms)
{
    return wall_time{milliseconds{ms}};
}

TEST(format_rfc3339, is_utc_with_milliseconds)
{
    EXPECT_EQ(format_rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(at(-1)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(at(1'795'335'330'123)), "2026-11-22T08:15:30.123Z");
    EXPECT_EQ(format_rfc3339(at(951'782'400'007)), "2000-02-29T00:00:00.007Z");
}

TEST(format_rfc3339, stays_within_four_digits_of_year)
{
    EXPECT_EQ(format_rfc3339(at(-62'167'219'200'000)), "0000-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(at(-62'167'219'200'001)), "0000-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(wall_time::max()), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(wall_time::min()), "0000-01-01T00:00:00.000Z");
}

TEST(format_rfc3339, agrees_with_the_c_library)
{
    std::mt19937_64 random{7};
    for (int i = 0; i < 20'000; ++i) {
        const auto ms = static_cast<std::int64_t>(random() % 253'402'300'800'000U);
        const std::time_t seconds_since = ms / 1000;
        std::tm parts{};
        gmtime_r(&seconds_since, &parts);
        std::array<char, 64> day{};
        std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
        std::array<char, 8> fraction{};
        std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms % 1000));
        const auto text = format_rfc3339(at(ms));
        ASSERT_EQ(text, std::string{day.data()} + fraction.data());
        ASSERT_EQ(parse_rfc3339(text), at(ms));
    }
}

TEST(parse_rfc3339, reads_offsets_and_fractions)
{
    EXPECT_EQ(parse_rfc3339("2026-11-22T16:15:30.123+08:00"), at(1'795'335'330'123));
    EXPECT_EQ(parse_rfc3339("2026-11-22T03:45:30-04:30"), at(1'795'335'330'000));
    EXPECT_EQ(parse_rfc3339("2026-11-22t08:15:30.1239z"), at(1'795'335'330'123));
    EXPECT_EQ(parse_rfc3339("2026-11-22T08:15:30.5Z"), at(1'795'335'330'500));
    EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z")) << "a leap second";
}

TEST(parse_rfc3339, refuses_anything_else)
{
    for (const auto* text :
         {"", "2026-11-22", "2026-11-22T08:15:30", "2026-11-22T08:15Z", "2026-02-30T08:15:30Z", "2026-13-01T00:00:00Z",
          "2026-11-22T24:00:00Z", "2026-11-22T08:60:00Z", "2026-11-22T08:15:61Z", "2026-11-22T08:15:30.Z",
          "2026-11-22T08:15:30+0800", "2026-11-22T08:15:30Z ", " 2026-11-22T08:15:30Z", "-026-11-22T08:15:30Z",
          "2026-11-22T08:15:30+24:00", "2026-11-22T+8:15:30Z", "26-11-22T08:15:30Z"})
        EXPECT_FALSE(parse_rfc3339(text)) << text;
}

} // namespace
} // namespace wxcourier
