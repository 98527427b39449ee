// SPDX-License-Identifier: Apache-2.0
#include "wechat/host_selector.hpp"

#include <gtest/gtest.h>

namespace wxcourier::wechat {
namespace {

using choice = host_selector::choice;

constexpr steady_time start{seconds(1'000)};
constexpr seconds interval{30};

/// A selector over `hosts` hosts whose first one has just been left.
host_selector moved_on(std::size_t hosts)
{
    host_selector selector(hosts, 3, interval);
    for (int failure = 0; failure < 3; ++failure) {
        selector.unreachable(selector.pick(start), start);
    }
    return selector;
}

TEST(host_selector, stays_with_the_first_host_while_it_answers)
{
    host_selector selector(3, 3, interval);
    for (int round = 0; round < 10; ++round) {
        const choice chosen = selector.pick(start + seconds(round * 60));
        EXPECT_EQ(chosen.host, 0U);
        EXPECT_FALSE(chosen.probe);
        EXPECT_FALSE(selector.answered(chosen));
    }
}

TEST(host_selector, moves_on_after_failures_in_a_row_only)
{
    host_selector selector(2, 3, interval);
    const choice first = selector.pick(start);
    EXPECT_FALSE(selector.unreachable(first, start));
    EXPECT_FALSE(selector.unreachable(first, start));
    EXPECT_FALSE(selector.answered(first));
    EXPECT_FALSE(selector.unreachable(first, start));
    EXPECT_FALSE(selector.unreachable(first, start));
    EXPECT_TRUE(selector.unreachable(first, start));
    EXPECT_EQ(selector.pick(start).host, 1U);
}

TEST(host_selector, late_failures_of_a_left_host_do_not_count_against_the_next)
{
    host_selector selector = moved_on(3);
    for (int late = 0; late < 10; ++late) {
        EXPECT_FALSE(selector.unreachable({.host = 0, .probe = false}, start));
    }
    EXPECT_EQ(selector.current(), 1U);
}

TEST(host_selector, a_late_answer_over_an_old_connection_does_not_bring_the_first_host_back)
{
    host_selector selector = moved_on(2);
    EXPECT_FALSE(selector.answered({.host = 0, .probe = false}));
    EXPECT_EQ(selector.current(), 1U);
}

TEST(host_selector, probes_the_first_host_with_one_request_an_interval)
{
    host_selector selector = moved_on(2);
    EXPECT_EQ(selector.pick(start + seconds(29)).host, 1U);
    const choice probe = selector.pick(start + seconds(30));
    EXPECT_EQ(probe.host, 0U);
    EXPECT_TRUE(probe.probe);
    EXPECT_EQ(selector.pick(start + seconds(31)).host, 1U);
    EXPECT_EQ(selector.pick(start + seconds(60)).host, 0U);
}

TEST(host_selector, returns_to_the_first_host_when_a_probe_is_answered)
{
    host_selector selector = moved_on(3);
    EXPECT_TRUE(selector.answered(selector.pick(start + interval)));
    EXPECT_EQ(selector.current(), 0U);
}

TEST(host_selector, a_failed_probe_changes_nothing)
{
    host_selector selector = moved_on(3);
    EXPECT_FALSE(selector.unreachable(selector.pick(start + interval), start + interval));
    EXPECT_EQ(selector.current(), 1U);
}

TEST(host_selector, goes_round_when_no_host_can_be_reached)
{
    host_selector selector(2, 1, interval);
    EXPECT_TRUE(selector.unreachable(selector.pick(start), start));
    EXPECT_TRUE(selector.unreachable(selector.pick(start), start));
    EXPECT_EQ(selector.current(), 0U);
}

TEST(host_selector, has_nowhere_to_go_from_a_single_host)
{
    host_selector selector(1, 1, interval);
    for (int failure = 0; failure < 10; ++failure) {
        EXPECT_FALSE(selector.unreachable(selector.pick(start), start));
    }
    EXPECT_EQ(selector.current(), 0U);
}

} // namespace
} // namespace wxcourier::wechat
