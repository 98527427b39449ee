// SPDX-License-Identifier: Apache-2.0
#include "dashboard/series_table.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::noon;
using dashboard_test::status_at;

TEST(SeriesTable, EqualStatusesShareASeries)
{
    series_table table;
    const auto sent = table.find_or_add(status_at(noon));
    EXPECT_EQ(table.find_or_add(status_at(noon + seconds{1})), sent);
    EXPECT_NE(table.find_or_add(status_at(noon, domain::job_state::failed, "invalid_data")), sent);
    EXPECT_EQ(table[sent].app, "shop");
    auto accepted = status_at(noon);
    accepted.errcode = 0;
    EXPECT_EQ(table.find_or_add(accepted), sent) << "the code of what was sent tells nothing";
}

TEST(SeriesTable, BeyondItsBoundAStatusCountsForItsStateOnly)
{
    series_table table(4, 2);
    auto rejected = status_at(noon, domain::job_state::rejected, "unknown_app");
    for (int app = 0; app < 10; ++app) {
        rejected.app = "invented-" + std::to_string(app);
        (void)table.find_or_add(rejected);
    }
    EXPECT_EQ(table.size(), state_count + 2);
    EXPECT_TRUE(table.overflowed());
    EXPECT_EQ(table[table.find_or_add(rejected)].app, other_series);
    EXPECT_EQ(table[table.find_or_add(rejected)].state, domain::job_state::rejected);
    EXPECT_EQ(table[table.find_or_add(status_at(noon))].app, "shop") << "what is sent still has room";
}

} // namespace
} // namespace wxcourier::dashboard
