// SPDX-License-Identifier: Apache-2.0
#include "domain/attempt_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace wxcourier::domain {
namespace {

using testing::ElementsAre;

attempt_log after(int attempts)
{
    attempt_log log;
    for (int i = 1; i <= attempts; ++i) {
        push_reply reply;
        reply.errcode = i;
        log.add(reply, wall_time{seconds{i}}, i);
    }
    return log;
}

std::vector<int> codes(const attempt_log& log)
{
    std::vector<int> all;
    for (std::size_t i = 0; i < log.size(); ++i)
        all.push_back(log[i].errcode.value_or(0));
    return all;
}

TEST(attempt_log, keeps_all_while_they_are_few)
{
    EXPECT_THAT(codes(after(1)), ElementsAre(1));
    EXPECT_THAT(codes(after(15)), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

TEST(attempt_log, keeps_the_first_three_and_the_latest_twelve)
{
    EXPECT_THAT(codes(after(16)), ElementsAre(1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16));
    EXPECT_THAT(codes(after(1000)), ElementsAre(1, 2, 3, 989, 990, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1000));
    EXPECT_EQ(after(1000).attempts(), 1000);
}

TEST(attempt_log, counts_attempts_that_were_made_elsewhere)
{
    attempt_log log;
    log.add({}, wall_time{}, 8);
    EXPECT_EQ(log.attempts(), 8);
    EXPECT_EQ(log.size(), 1U);
}

TEST(attempt_log, goes_on_elsewhere_as_if_it_had_stayed)
{
    for (const int moved_after : {1, 3, 14, 15, 16, 27, 100})
        for (const int more : {0, 1, 5, 30}) {
            attempt_log log(after(moved_after).notes(), moved_after);
            for (int i = moved_after + 1; i <= moved_after + more; ++i) {
                push_reply reply;
                reply.errcode = i;
                log.add(reply, wall_time{seconds{i}}, i);
            }
            EXPECT_EQ(codes(log), codes(after(moved_after + more))) << moved_after << " and " << more;
            EXPECT_EQ(log.attempts(), moved_after + more);
        }
}

TEST(attempt_log, failures_are_known_by_their_words)
{
    for (const auto each : {transport_failure::none, transport_failure::resolve, transport_failure::timeout,
                            transport_failure::cancelled})
        EXPECT_EQ(transport_failure_of(to_string(each)), each);
    EXPECT_EQ(transport_failure_of("of a later release"), transport_failure::none);
}

} // namespace
} // namespace wxcourier::domain
