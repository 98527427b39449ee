// SPDX-License-Identifier: Apache-2.0
#include "wechat/tls_context.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <ctime>

namespace wxcourier::test {
namespace {

namespace asio = boost::asio;

/// As it comes from a server: with an id, so that it can be resumed, for an hour.
SSL_SESSION* session_of_age(seconds age)
{
    SSL_SESSION* const made = SSL_SESSION_new();
    const unsigned char id = 7;
    SSL_SESSION_set1_id(made, &id, 1);
    SSL_SESSION_set_timeout(made, 3'600);
    SSL_SESSION_set_time(made, std::time(nullptr) - age.count());
    return made;
}

TEST(tls_session, can_be_resumed_while_it_is_young_enough)
{
    wechat::tls_session session;
    EXPECT_FALSE(session.is_resumable());
    session.keep(session_of_age(seconds(3'000)));
    EXPECT_TRUE(session.is_resumable());
    session.keep(session_of_age(seconds(3'601)));
    EXPECT_FALSE(session.is_resumable());
    session.keep(session_of_age(seconds(0)));
    session.forget();
    EXPECT_FALSE(session.is_resumable());
    session.keep(SSL_SESSION_new());
    EXPECT_FALSE(session.is_resumable()) << "it has neither id nor ticket";
}

TEST(tls_session, wakes_who_waits_for_one_later_and_not_at_once)
{
    asio::io_context io(1);
    wechat::wait_list waiting(io);
    wechat::tls_session session;
    session.wake_when_resumable(waiting);
    int woken = 0;
    const auto count = [&woken](const std::exception_ptr&, bool woke) { woken += woke ? 1 : 0; };
    asio::co_spawn(io, waiting.wait(steady_clock::now() + seconds(60)), count);
    asio::co_spawn(io, waiting.wait(steady_clock::now() + seconds(60)), count);
    io.poll();
    session.keep(SSL_SESSION_new());
    io.poll();
    EXPECT_EQ(woken, 0);
    session.keep(session_of_age(seconds(0)));
    EXPECT_EQ(woken, 0);
    io.poll();
    EXPECT_EQ(woken, 2);
}

} // namespace
} // namespace wxcourier::test
