// SPDX-License-Identifier: Apache-2.0
#include "simulator/repeat_window.hpp"

#include <gtest/gtest.h>

namespace wxcourier::simulator {
namespace {

struct repeat_window_test : testing::Test {
    std::int64_t number(std::string_view openid, std::string_view key, std::int64_t initial)
    {
        return window.remember("wx1", openid, key, initial, now, repeated);
    }

    repeat_window window{std::chrono::minutes{10}, 3};
    wall_time now{milliseconds{1'000'000}};
    bool repeated = false;
};

TEST_F(repeat_window_test, a_key_is_known_for_the_span_and_not_at_its_end)
{
    EXPECT_EQ(number("o", "k", 1), 1);
    EXPECT_FALSE(repeated);
    now += std::chrono::minutes{10} - milliseconds{1};
    EXPECT_EQ(number("o", "k", 2), 1);
    EXPECT_TRUE(repeated);
    now += milliseconds{1};
    EXPECT_EQ(number("o", "k", 3), 3);
    EXPECT_FALSE(repeated);
}

TEST_F(repeat_window_test, the_parts_of_a_key_do_not_run_into_each_other)
{
    number("ab", "c", 1);
    number("a", "bc", 2);
    EXPECT_FALSE(repeated);
    number("c", "ab", 3);
    EXPECT_FALSE(repeated);
}

TEST_F(repeat_window_test, the_oldest_key_goes_when_there_are_too_many)
{
    for (const auto* key : {"1", "2", "3", "4", "5"}) {
        number("o", key, 1);
    }
    number("o", "5", 2);
    EXPECT_TRUE(repeated);
    number("o", "1", 2);
    EXPECT_FALSE(repeated);
}

} // namespace
} // namespace wxcourier::simulator
