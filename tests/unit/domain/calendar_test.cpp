// SPDX-License-Identifier: Apache-2.0
#include "common/rfc3339.hpp"
#include "domain/calendar.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

struct row {
    std::string_view now;
    std::string_view next;
};

class minute_boundary : public testing::TestWithParam<row> {};
class day_boundary : public testing::TestWithParam<row> {};

TEST_P(minute_boundary, is_the_start_of_the_next_calendar_minute)
{
    EXPECT_EQ(format_rfc3339(next_minute(*parse_rfc3339(GetParam().now))), GetParam().next);
}
INSTANTIATE_TEST_SUITE_P(calendar, minute_boundary,
                         testing::Values(row{"2026-11-22T08:15:30.123Z", "2026-11-22T08:16:00.000Z"},
                                         row{"2026-11-22T08:15:00.000Z", "2026-11-22T08:16:00.000Z"},
                                         row{"2026-11-22T08:15:59.999Z", "2026-11-22T08:16:00.000Z"},
                                         row{"2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"}));

TEST_P(day_boundary, is_the_next_midnight_in_china)
{
    EXPECT_EQ(format_rfc3339(next_day_in_china(*parse_rfc3339(GetParam().now))), GetParam().next);
}
INSTANTIATE_TEST_SUITE_P(calendar, day_boundary,
                         testing::Values(row{"2026-11-22T15:59:59.999Z", "2026-11-22T16:00:00.000Z"},
                                         row{"2026-11-22T16:00:00.000Z", "2026-11-23T16:00:00.000Z"},
                                         row{"2026-11-22T00:00:00.000Z", "2026-11-22T16:00:00.000Z"},
                                         row{"2026-12-31T23:30:00.000Z", "2027-01-01T16:00:00.000Z"},
                                         row{"2028-02-28T20:00:00.000Z", "2028-02-29T16:00:00.000Z"},
                                         row{"2028-02-29T20:00:00.000Z", "2028-03-01T16:00:00.000Z"}));

TEST(calendar, every_day_in_china_has_24_hours)
{
    // Over the summer times of everybody else, and those that China itself had from 1986 to 1991: WeChat has none.
    for (const auto* first : {"1986-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}) {
        auto midnight = next_day_in_china(*parse_rfc3339(first));
        for (int day = 0; day < 6 * 366; ++day) {
            const auto next = next_day_in_china(midnight);
            ASSERT_EQ(next - midnight, std::chrono::hours{24}) << format_rfc3339(midnight);
            ASSERT_EQ(next_day_in_china(next - milliseconds{1}), next);
            midnight = next;
        }
        EXPECT_TRUE(format_rfc3339(midnight).ends_with("T16:00:00.000Z"));
    }
}

TEST(calendar, knows_the_time_before_the_epoch)
{
    EXPECT_EQ(format_rfc3339(next_day_in_china(wall_time{milliseconds{-1}})), "1970-01-01T16:00:00.000Z");
    EXPECT_EQ(format_rfc3339(next_minute(wall_time{milliseconds{-1}})), "1970-01-01T00:00:00.000Z");
}

} // namespace
} // namespace wxcourier::domain
