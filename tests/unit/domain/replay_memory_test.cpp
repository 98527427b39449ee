// SPDX-License-Identifier: Apache-2.0
#include "domain/replay_memory.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

constexpr auto at = [](std::int64_t time) { return wall_time{milliseconds{time}}; };

TEST(replay_memory, remembers_single_letters_with_gaps_between_them)
{
    replay_memory memory;
    memory.add(0, 5, at(50));
    memory.add(0, 7, at(70));
    memory.add(1, 6, at(60));
    EXPECT_TRUE(memory.contains(0, 5));
    EXPECT_FALSE(memory.contains(0, 6));
    EXPECT_TRUE(memory.contains(0, 7));
    EXPECT_TRUE(memory.contains(1, 6));
    EXPECT_FALSE(memory.contains(1, 5));
}

TEST(replay_memory, keeps_a_block_for_so_many_offsets)
{
    replay_memory memory;
    const auto first = memory.add(0, replay_block_size - 1, at(1));
    const auto second = memory.add(0, replay_block_size, at(2));
    EXPECT_EQ(first, (replay_block_name{0, 0}));
    EXPECT_EQ(second, (replay_block_name{0, 1}));
    EXPECT_EQ(memory.size(), 2U);
    EXPECT_EQ(memory.block(second).offsets.ranges().size(), 1U);
}

TEST(replay_memory, a_blocks_time_is_its_highest_letters)
{
    replay_memory memory;
    const auto name = memory.add(0, 7, at(70));
    memory.add(0, 5, at(50));
    EXPECT_EQ(memory.block(name).last_at, at(70));
}

TEST(replay_memory, forgets_what_speaks_of_an_earlier_topic)
{
    replay_memory memory;
    memory.add(0, 5, at(50));
    memory.add(0, 7, at(70));
    memory.check(0, 5, at(999)); // only the highest one's time is known
    memory.check(0, 7, at(70));
    EXPECT_TRUE(memory.contains(0, 5));
    memory.check(0, 7, at(71));
    EXPECT_FALSE(memory.contains(0, 5));
    memory.add(0, 7, at(70));
    memory.add(1, 7, at(70));
    memory.check_end(0, 8);
    EXPECT_TRUE(memory.contains(0, 7));
    memory.check_end(0, 7);
    EXPECT_FALSE(memory.contains(0, 7)) << "the topic ends before it";
    EXPECT_TRUE(memory.contains(1, 7));
}

} // namespace
} // namespace wxcourier::domain
