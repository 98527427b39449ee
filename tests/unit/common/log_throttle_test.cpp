// SPDX-License-Identifier: Apache-2.0
#include "common/log_throttle.hpp"

#include <gtest/gtest.h>

namespace wxcourier {
namespace {

constexpr steady_time start{std::chrono::hours{1}};

class throttle : public testing::Test {
protected:
    /// How many of `count` lines pass at that time.
    int passing(std::string_view kind, int count, steady_time at)
    {
        int passed = 0;
        for (int i = 0; i < count; ++i)
            passed += limit.admit(kind, at).pass ? 1 : 0;
        return passed;
    }
    log_throttle limit{3, seconds{10}};
};

TEST_F(throttle, lets_a_burst_of_each_kind_through_and_then_none)
{
    EXPECT_EQ(passing("a", 100, start), 3);
    EXPECT_EQ(passing("a", 100, start + seconds{9}), 0);
    EXPECT_EQ(passing("b", 2, start + seconds{9}), 2);
}

TEST_F(throttle, tells_with_the_next_line_how_many_were_kept_back)
{
    passing("a", 100, start);
    const auto next = limit.admit("a", start + seconds{10});
    EXPECT_TRUE(next.pass);
    EXPECT_EQ(next.kept_back, 97U);
    EXPECT_EQ(limit.admit("a", start + seconds{10}).kept_back, 0U);
}

TEST_F(throttle, what_no_line_follows_is_overdue_once)
{
    passing("a", 10, start);
    passing("b", 2, start);
    EXPECT_TRUE(limit.overdue(start + seconds{9}).empty());
    const auto found = limit.overdue(start + seconds{20});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, "a");
    EXPECT_EQ(found[0].kept_back, 7U);
    EXPECT_TRUE(limit.overdue(start + seconds{40}).empty());
}

TEST_F(throttle, kinds_without_end_take_no_memory_and_lose_no_line)
{
    for (std::size_t i = 0; i < 2 * log_throttle::most_kinds; ++i)
        EXPECT_TRUE(limit.admit(std::to_string(i), start).pass);
    limit.overdue(start + seconds{20});
    EXPECT_EQ(passing("a", 100, start + seconds{20}), 3) << "old kinds make room";
}

} // namespace
} // namespace wxcourier
