// SPDX-License-Identifier: Apache-2.0
#include "domain/backoff.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

constexpr backoff_limits limits{milliseconds{200}, milliseconds{60'000}};

TEST(backoff, doubles_from_the_initial_wait_up_to_the_longest)
{
    struct row {
        int retry;
        milliseconds longest;
    };
    constexpr row rows[] = {{0, milliseconds{200}},     {1, milliseconds{400}},    {2, milliseconds{800}},
                            {8, milliseconds{51'200}},  {9, milliseconds{60'000}}, {40, milliseconds{60'000}},
                            {100, milliseconds{60'000}}};
    for (const auto& [retry, longest] : rows)
        EXPECT_EQ(backoff_delay(limits, retry, 1.0), longest) << "retry " << retry;
}

TEST(backoff, draws_evenly_from_zero_on)
{
    EXPECT_EQ(backoff_delay(limits, 3, 0.0), steady_duration{0});
    EXPECT_EQ(backoff_delay(limits, 3, 0.25), milliseconds{400});
    EXPECT_EQ(backoff_delay(limits, 3, 0.5), milliseconds{800});
}

TEST(backoff, stays_finite_after_any_number_of_retries)
{
    EXPECT_EQ(backoff_delay({milliseconds{1}, milliseconds{1000}}, 2'000'000'000, 0.5), milliseconds{500});
}

TEST(backoff, never_waits_longer_than_the_longest_where_that_is_below_the_initial_wait)
{
    EXPECT_EQ(backoff_delay({milliseconds{500}, milliseconds{100}}, 0, 1.0), milliseconds{100});
}

} // namespace
} // namespace wxcourier::domain
