// SPDX-License-Identifier: Apache-2.0
#include "common/time.hpp"
#include "wechat/tls_context.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace wxcourier::test {
namespace {

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

TEST(tls_session, tells_of_one_where_there_was_none_to_resume)
{
    wechat::tls_session session;
    int told = 0;
    session.on_resumable([&told] { ++told; });
    session.keep(SSL_SESSION_new());
    EXPECT_EQ(told, 0);
    session.keep(session_of_age(seconds(0)));
    EXPECT_EQ(told, 1);
    session.keep(session_of_age(seconds(0)));
    EXPECT_EQ(told, 1) << "every answer brings another one";
    session.forget();
    session.keep(session_of_age(seconds(0)));
    EXPECT_EQ(told, 2);
}

} // namespace
} // namespace wxcourier::test
