// SPDX-License-Identifier: Apache-2.0
#include "dashboard/waiting_messages.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::deferred_at;
using dashboard_test::noon;
using dashboard_test::status_at;

TEST(WaitingMessages, AMessageWaitsUntilItEnds)
{
    waiting_messages waiting;
    waiting.on_status(deferred_at(noon, noon + seconds{90}), 1, noon, false);
    waiting.on_status(deferred_at(noon + seconds{90}, noon + seconds{300}), 1, noon + seconds{90}, false);
    ASSERT_EQ(waiting.waits().size(), 1U) << "deferred again, it is still one message";
    EXPECT_EQ(waiting.waits().begin()->second.until, noon + seconds{300});
    waiting.on_status(status_at(noon + seconds{301}), 2, noon + seconds{301}, false);
    EXPECT_TRUE(waiting.waits().empty());
}

TEST(WaitingMessages, AnEndThatWasReadBeforeItsDeferralCounts)
{
    waiting_messages waiting;
    waiting.expect_history_before(noon);
    waiting.on_status(status_at(noon + seconds{1}, domain::job_state::sent, {}, seconds{100}), 2, noon + seconds{1},
                      false);
    waiting.on_status(deferred_at(noon - seconds{99}, noon), 1, noon - seconds{99}, true);
    EXPECT_TRUE(waiting.waits().empty());
    waiting.on_status(deferred_at(noon - seconds{99}, noon, 2), 1, noon - seconds{99}, true);
    EXPECT_EQ(waiting.waits().size(), 1U) << "another job, which has not ended";
}

TEST(WaitingMessages, TheirNumberIsBounded)
{
    waiting_messages waiting(3);
    for (std::int64_t offset = 0; offset < 5; ++offset)
        waiting.on_status(deferred_at(noon, noon + seconds{90}, offset), 1, noon, false);
    EXPECT_EQ(waiting.waits().size(), 3U);
    EXPECT_TRUE(waiting.overflowed());
    waiting.forget_stale(noon + std::chrono::days{8});
    EXPECT_TRUE(waiting.waits().empty());
    EXPECT_FALSE(waiting.overflowed());
}

} // namespace
} // namespace wxcourier::dashboard
