// SPDX-License-Identifier: Apache-2.0
#include "domain/index_set.hpp"
#include "tests/support/print.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace wxcourier::domain {
namespace {

using testing::ElementsAre;

index_set of(std::initializer_list<std::int64_t> indices)
{
    index_set result;
    for (const auto each : indices)
        result.insert(each);
    return result;
}

TEST(index_set, joins_neighbours_into_ranges)
{
    EXPECT_THAT(of({0, 1, 2}).ranges(), ElementsAre(index_range{0, 2}));
    EXPECT_THAT(of({2, 1, 0}).ranges(), ElementsAre(index_range{0, 2}));
    EXPECT_THAT(of({0, 2, 1}).ranges(), ElementsAre(index_range{0, 2}));
    EXPECT_THAT(of({0, 2, 4}).ranges(), ElementsAre(index_range{0, 0}, index_range{2, 2}, index_range{4, 4}));
    EXPECT_THAT(of({5, 9, 6, 8, 0}).ranges(), ElementsAre(index_range{0, 0}, index_range{5, 6}, index_range{8, 9}));
}

TEST(index_set, takes_an_index_twice_without_harm)
{
    EXPECT_THAT(of({3, 3, 4, 3}).ranges(), ElementsAre(index_range{3, 4}));
    EXPECT_EQ(of({3, 3, 4, 3}).size(), 2);
}

TEST(index_set, knows_the_first_index_that_is_missing)
{
    EXPECT_EQ(of({}).first_missing(), 0);
    EXPECT_EQ(of({1, 2}).first_missing(), 0);
    EXPECT_EQ(of({0, 1, 2, 9}).first_missing(), 3);
}

TEST(index_set, is_empty_until_something_is_put_in)
{
    EXPECT_TRUE(index_set{}.empty());
    EXPECT_EQ(index_set{}.size(), 0);
    EXPECT_FALSE(index_set{}.contains(0));
    EXPECT_FALSE(of({7}).empty());
}

TEST(index_set, agrees_with_std_set_whatever_the_order)
{
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        std::set<std::int64_t> model;
        index_set subject;
        for (int i = 0; i < 300; ++i) {
            const auto index = static_cast<std::int64_t>(random() % 200);
            model.insert(index);
            subject.insert(index);
        }
        ASSERT_EQ(subject.size(), static_cast<std::int64_t>(model.size())) << "seed " << seed;
        for (std::int64_t i = 0; i < 200; ++i)
            ASSERT_EQ(subject.contains(i), model.contains(i)) << "seed " << seed << " index " << i;
        const auto& ranges = subject.ranges();
        for (std::size_t i = 1; i < ranges.size(); ++i)
            ASSERT_GT(ranges[i].first, ranges[i - 1].last + 1) << "seed " << seed << ": ranges touch";
    }
}

} // namespace
} // namespace wxcourier::domain
