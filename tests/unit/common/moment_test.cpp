// SPDX-License-Identifier: Apache-2.0
#include "common/moment.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace wxcourier {
namespace {

/// Until both clocks have gone on.
void let_time_pass()
{
    const auto steady = steady_clock::now();
    const auto wall = std::chrono::system_clock::now();
    while (steady_clock::now() < steady + milliseconds{2} || std::chrono::system_clock::now() < wall + milliseconds{2})
    {
    }
}

TEST(moment, without_one_the_clocks_run)
{
    const auto steady = moment::steady_now();
    const auto wall = moment::wall_now();
    let_time_pass();
    EXPECT_LT(steady, moment::steady_now());
    EXPECT_LT(wall, moment::wall_now());
}

TEST(moment, they_stand_still_from_the_first_question_to_its_end)
{
    std::optional<moment> one;
    one.emplace();
    let_time_pass();
    const auto asked = steady_clock::now();
    const auto steady = moment::steady_now();
    const auto wall = moment::wall_now();
    EXPECT_GE(steady, asked);
    let_time_pass();
    EXPECT_EQ(steady, moment::steady_now());
    EXPECT_EQ(wall, moment::wall_now());
    one.reset();
    EXPECT_LT(steady, moment::steady_now());
    EXPECT_LT(wall, moment::wall_now());
}

TEST(moment, an_inner_one_begins_anew_and_time_does_not_go_back_behind_it)
{
    const moment outer;
    const auto before = moment::steady_now();
    let_time_pass();
    auto inside = before;
    {
        const moment inner;
        inside = moment::steady_now();
        EXPECT_LT(before, inside);
    }
    EXPECT_LE(inside, moment::steady_now());
}

} // namespace
} // namespace wxcourier
