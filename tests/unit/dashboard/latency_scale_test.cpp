// SPDX-License-Identifier: Apache-2.0
#include "dashboard/latency_scale.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace wxcourier::dashboard {
namespace {

TEST(LatencyScale, BinsNeverGoDownAndAreWithinThreePercent)
{
    latency_bin before = 0;
    for (std::int64_t latency = 0; latency < 3'000'000'000; latency += 1 + latency / 200) {
        const auto bin = bin_of(latency);
        ASSERT_GE(bin, before) << latency;
        ASSERT_LE(std::abs(middle_of(bin) - latency), 1 + latency * 4 / 100) << latency;
        before = bin;
    }
}

TEST(LatencyScale, AnythingHasABin)
{
    EXPECT_EQ(bin_of(-5), 0);
    EXPECT_LT(bin_of(INT64_MAX), no_latency);
}

} // namespace
} // namespace wxcourier::dashboard
