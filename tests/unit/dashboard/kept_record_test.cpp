// SPDX-License-Identifier: Apache-2.0
#include "dashboard/kept_record.hpp"
#include "dashboard/masking.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::noon;
using dashboard_test::status_at;

TEST(Masking, AnOpenidIsNeverWhole)
{
    EXPECT_EQ(masked("oA1b2C3d4E5f6G7h8I9j0K1l2M3n"), "oA1b…M3n");
    EXPECT_EQ(masked("short"), "…");
    EXPECT_EQ(masked("not plain text: 收件人"), "…");
    EXPECT_EQ(masked(""), "");
}

TEST(Masking, AnOpenidInATextIsMaskedToo)
{
    EXPECT_EQ(without_openid("no user oA1b2C3d4E5f6, oA1b2C3d4E5f6!", "oA1b2C3d4E5f6"), "no user oA1b…5f6, oA1b…5f6!");
    EXPECT_EQ(without_openid("as it is", ""), "as it is");
    EXPECT_LE(without_openid(std::string(1000, 'x'), "").size(), 160U);
}

TEST(KeptRecord, HoldsWhatAPersonNeeds)
{
    auto status = status_at(noon, domain::job_state::failed, "refused_by_user", milliseconds{250});
    status.errcode = 43101;
    status.errmsg = "user oA1b2C3d4E5f6G7h8I9j0K1l2M3n refuses";
    status.msgid = "371";
    const kept_record record(status, 7, noon);
    EXPECT_EQ(record.id(), "order-1");
    EXPECT_EQ(record.recipient(), "oA1b…M3n");
    EXPECT_EQ(record.errmsg(), "user oA1b…M3n refuses");
    EXPECT_EQ(record.msgid(), "371");
    EXPECT_EQ(record.source(), "push.jobs/0/1");
    EXPECT_EQ(record.worker(), "worker-1");
    EXPECT_EQ(record.latency(), 250);
}

TEST(RecordRing, KeepsTheLatestWithinItsBytes)
{
    record_ring ring(5'000);
    auto status = status_at(noon);
    for (int number = 0; number < 100; ++number) {
        status.id = "order-" + std::to_string(number);
        ring.add(kept_record(status, 1, noon));
    }
    EXPECT_TRUE(ring.wrapped());
    EXPECT_LT(ring.records().size(), 40U);
    EXPECT_EQ(ring.records().back().id(), "order-99");
}

} // namespace
} // namespace wxcourier::dashboard
