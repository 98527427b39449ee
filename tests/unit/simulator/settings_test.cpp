// SPDX-License-Identifier: Apache-2.0
#include "simulator/settings.hpp"

#include <gtest/gtest.h>

namespace wxcourier::simulator {
namespace {

TEST(simulator_settings_test, durations_have_a_unit_or_are_milliseconds)
{
    EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
    EXPECT_EQ(parse_duration("5s"), milliseconds{5'000});
    EXPECT_EQ(parse_duration("10m"), milliseconds{600'000});
    EXPECT_EQ(parse_duration("2h"), milliseconds{7'200'000});
    EXPECT_EQ(parse_duration("42"), milliseconds{42});
    EXPECT_EQ(parse_duration("0"), milliseconds{0});
}

TEST(simulator_settings_test, other_texts_are_no_durations)
{
    for (const auto* text : {"", "s", "-1s", "1 s", "1.5s", "1d", "9999999999999999999", "721h", "2592000001"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

} // namespace
} // namespace wxcourier::simulator
