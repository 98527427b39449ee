// SPDX-License-Identifier: Apache-2.0
#include "wechat/retry_after.hpp"

#include <gtest/gtest.h>

namespace wxcourier::wechat {
namespace {

TEST(retry_after, reads_seconds_and_dates_and_nothing_else)
{
    // 1994-11-06T08:49:37Z
    const wall_time now{seconds(784'111'777)};
    struct row {
        const char* text;
        std::optional<seconds> expected;
    };
    for (const row& each : {
             row{"0", seconds(0)},
             row{"120", seconds(120)},
             row{"86401", seconds(86'400)},
             row{"99999999999999999999999", seconds(86'400)},
             row{"Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)},
             row{"Sun, 06 Nov 1994 08:50:37 GMT", seconds(60)},
             row{"Sun, 06 Nov 1994 08:48:37 GMT", seconds(0)},
             row{"Mon, 06 Nov 1995 08:48:37 GMT", seconds(86'400)},
             row{"", {}},
             row{"-1", {}},
             row{"1.5", {}},
             row{" 1", {}},
             row{"soon", {}},
             row{"Sun, 06 Nov 1994 08:49:37 UTC", {}},
             row{"Sun, 31 Feb 1994 08:49:37 GMT", {}},
             row{"Sun, 06 Xxx 1994 08:49:37 GMT", {}},
             row{"Sunday, 06-Nov-94 08:49:37 GMT", {}},
         })
    {
        EXPECT_EQ(parse_retry_after(each.text, now), each.expected) << each.text;
    }
}

} // namespace
} // namespace wxcourier::wechat
