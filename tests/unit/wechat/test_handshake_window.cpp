// SPDX-License-Identifier: Apache-2.0
#include "wechat/client_settings.hpp"
#include "wechat/handshake_window.hpp"

#include <gtest/gtest.h>

namespace wxcourier::test {
namespace {

using wechat::handshake_window;

TEST(handshake_window, each_success_lets_two_go_on_and_each_failure_one)
{
    handshake_window window;
    EXPECT_EQ(window.room(false), handshake_window::first);
    for (std::size_t begun = 0; begun < handshake_window::first; ++begun) {
        window.begin();
    }
    EXPECT_EQ(window.room(false), 0U);
    window.widen();
    window.end();
    EXPECT_EQ(window.room(false), 2U);
    window.begin();
    window.begin();
    window.end();
    EXPECT_EQ(window.room(false), 1U);
}

TEST(handshake_window, has_no_room_until_those_that_went_without_a_limit_are_few)
{
    handshake_window window;
    for (std::size_t begun = 0; begun < 100; ++begun) {
        window.begin();
    }
    for (std::size_t under_way = 100; under_way >= handshake_window::first; --under_way) {
        EXPECT_EQ(window.room(false), 0U) << under_way;
        window.end();
    }
    EXPECT_EQ(window.room(false), 1U);
}

TEST(handshake_window, lets_more_go_that_resume_a_session_but_not_all)
{
    handshake_window window;
    std::size_t begun = 0;
    for (; window.room(true) > 0; ++begun) {
        window.begin();
    }
    EXPECT_EQ(begun, handshake_window::first_resumed);
    EXPECT_EQ(window.room(false), 0U);
    for (; begun > 0; --begun) {
        window.widen();
        window.end();
    }
    EXPECT_EQ(window.room(true), handshake_window::first_resumed + handshake_window::first)
        << "it widens for those, too";
    EXPECT_EQ(window.room(false), window.room(true));
}

TEST(handshake_window, begins_with_enough_to_find_a_host_dead)
{
    EXPECT_GE(handshake_window::first, wechat::client_settings().failures_to_move);
}

} // namespace
} // namespace wxcourier::test
