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

} // namespace
} // namespace wxcourier::domain
