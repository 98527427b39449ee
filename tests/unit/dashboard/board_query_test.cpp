// SPDX-License-Identifier: Apache-2.0
#include "dashboard/board_query.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

TEST(BoardQuery, ReadsWhatThePageWrites)
{
    const auto query = parse_query("app=shop+%26+more&kind=&state=failed&range=24h&list=all&unknown=x");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->app, "shop & more");
    EXPECT_EQ(query->kind, "") << "statuses without a kind";
    EXPECT_EQ(query->state, domain::job_state::failed);
    EXPECT_EQ(query->last, std::chrono::hours{24});
    EXPECT_TRUE(query->list_all);
    EXPECT_EQ(parse_query(""), board_query{});
    EXPECT_EQ(parse_query("range=all"), board_query{});
    const auto fixed = parse_query("from=1000&to=2000");
    ASSERT_TRUE(fixed);
    EXPECT_EQ(fixed->from, wall_time{milliseconds{1000}});
    EXPECT_EQ(fixed->to, wall_time{milliseconds{2000}});
}

TEST(BoardQuery, RefusesWhatMakesNoSense)
{
    for (const auto* text : {"state=odd", "range=0m", "range=5", "range=-5m", "range=999d", "range=5y", "from=-1",
                             "from=x", "to=5", "from=5&to=5", "from=99999999999999999999", "range=99999999999999999h"})
        EXPECT_FALSE(parse_query(text)) << text;
}

TEST(BoardQuery, TakesAnyBytes)
{
    EXPECT_EQ(parse_parameters("a=%zz&=&b=%4&%41=%"),
              (std::vector<std::pair<std::string, std::string>>{{"a", "%zz"}, {"", ""}, {"b", "%4"}, {"A", "%"}}));
}

} // namespace
} // namespace wxcourier::dashboard
