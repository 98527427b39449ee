// SPDX-License-Identifier: Apache-2.0
#include "domain/shared_token.hpp"
#include "domain/shared_token_log.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const steady_time start{hours{1}};
constexpr seconds hold{18};

TEST(shared_token_log, an_older_token_never_replaces_a_newer_one)
{
    shared_token_log log{hold};
    EXPECT_EQ(log.on_token({2, 5}), shared_token_log::news::newer);
    EXPECT_EQ(log.on_token({2, 5}), shared_token_log::news::repeated);
    EXPECT_EQ(log.on_token({2, 4}), shared_token_log::news::older);
    EXPECT_EQ(log.on_token({1, 9}), shared_token_log::news::older) << "of an older term, whatever its generation";
    EXPECT_EQ(log.newest(), (token_stamp{2, 5}));
    EXPECT_EQ(log.on_token({3, 6}), shared_token_log::news::newer);
}

TEST(shared_token_log, a_fetch_that_may_be_under_way_is_waited_out)
{
    shared_token_log log{hold};
    EXPECT_EQ(log.free_at(), steady_time::min());
    log.on_refreshing({1, 1}, start);
    EXPECT_EQ(log.free_at(), start + hold);
    log.on_refreshing({1, 1}, start + seconds{5});
    EXPECT_EQ(log.free_at(), start + hold) << "a repeat of the record is no other fetch";
}

TEST(shared_token_log, its_token_or_its_failure_ends_a_fetch)
{
    shared_token_log log{hold};
    log.on_refreshing({1, 1}, start);
    log.on_token({1, 1});
    EXPECT_EQ(log.free_at(), steady_time::min());
    log.on_refreshing({1, 2}, start);
    log.on_failed({1, 1});
    EXPECT_EQ(log.free_at(), start + hold) << "another one's failure";
    log.on_failed({1, 2});
    EXPECT_EQ(log.free_at(), steady_time::min());
}

TEST(shared_token_log, a_fetch_whose_token_was_read_first_is_over)
{
    shared_token_log log{hold};
    log.on_token({1, 1});
    log.on_refreshing({1, 1}, start);
    EXPECT_EQ(log.free_at(), steady_time::min());
}

TEST(shared_token_log, generations_count_up_through_terms_and_failures)
{
    shared_token_log log{hold};
    EXPECT_EQ(log.next(1), (token_stamp{1, 1}));
    log.on_refreshing({1, 1}, start);
    log.on_failed({1, 1});
    EXPECT_EQ(log.next(1), (token_stamp{1, 2}));
    log.on_token({1, 7});
    EXPECT_EQ(log.next(2), (token_stamp{2, 8}));
}

TEST(shared_token, a_record_read_as_it_was_written_needs_no_clock)
{
    shared_token token;
    token.issued_at = wall_time{hours{1000}};
    token.expires_at = token.issued_at + hours{2};
    for (const auto off : {minutes{-3}, minutes{0}, minutes{3}})
        EXPECT_EQ(remaining_life(token, token.issued_at + off, true), hours{2});
    EXPECT_EQ(remaining_life(token, token.issued_at + minutes{30}, true), minutes{90}) << "read late after all";
}

TEST(shared_token, otherwise_the_clocks_tell_its_age)
{
    shared_token token;
    token.issued_at = wall_time{hours{1000}};
    token.expires_at = token.issued_at + hours{2};
    EXPECT_EQ(remaining_life(token, token.issued_at + minutes{30}, false), minutes{90});
    EXPECT_EQ(remaining_life(token, token.issued_at - minutes{3}, false), hours{2}) << "never more than its whole life";
    EXPECT_EQ(remaining_life(token, token.issued_at + hours{3}, false), milliseconds{0});
    token.expires_at = token.issued_at - hours{1};
    EXPECT_EQ(remaining_life(token, token.issued_at, false), milliseconds{0});
}

} // namespace
} // namespace wxcourier::domain
