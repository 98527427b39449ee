// SPDX-License-Identifier: Apache-2.0
#include "domain/fleet_leadership.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

const steady_time start{std::chrono::hours{1}};

/// A member that has read all and holds the partition.
fleet_leadership candidate(const std::string& name = "a")
{
    fleet_leadership lead{name};
    lead.on_caught_up();
    lead.set_candidate(true);
    return lead;
}

TEST(fleet_leadership, only_a_candidate_that_has_read_all_announces)
{
    fleet_leadership lead{"a"};
    EXPECT_FALSE(lead.to_announce(start));
    lead.set_candidate(true);
    EXPECT_FALSE(lead.to_announce(start)) << "it has not read to the end";
    lead.on_caught_up();
    EXPECT_EQ(lead.to_announce(start), 1U);
    lead.set_candidate(false);
    EXPECT_FALSE(lead.to_announce(start));
}

TEST(fleet_leadership, it_leads_from_its_own_announcement_read_back)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    EXPECT_FALSE(lead.leads());
    EXPECT_TRUE(lead.on_leading({1, "a", "worker-a"}));
    EXPECT_TRUE(lead.leads());
    EXPECT_EQ(lead.leader(), "worker-a");
    EXPECT_TRUE(lead.accepts(1));
}

TEST(fleet_leadership, the_next_term_is_above_every_term_that_was_read)
{
    auto lead = candidate();
    EXPECT_TRUE(lead.on_leading({5, "b", "worker-b"}));
    EXPECT_EQ(lead.to_announce(start), 6U);
    lead.on_term(9);
    EXPECT_EQ(lead.to_announce(start), 10U);
    EXPECT_TRUE(lead.leader().empty());
}

TEST(fleet_leadership, of_two_with_one_term_the_first_in_the_log_leads)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    EXPECT_TRUE(lead.on_leading({1, "b", "worker-b"}));
    EXPECT_FALSE(lead.on_leading({1, "a", "worker-a"}));
    EXPECT_FALSE(lead.leads());
    EXPECT_EQ(lead.leader(), "worker-b");
    EXPECT_FALSE(lead.to_announce(start)) << "not at once: two candidates must not chase each other";
    EXPECT_EQ(lead.to_announce(start + fleet_leadership::announce_interval), 2U);
}

TEST(fleet_leadership, a_later_term_ends_its_lead)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    lead.on_leading({1, "a", "worker-a"});
    EXPECT_TRUE(lead.on_leading({2, "b", "worker-b"}));
    EXPECT_FALSE(lead.leads());
    EXPECT_FALSE(lead.accepts(1));
    EXPECT_TRUE(lead.accepts(2));
    EXPECT_FALSE(lead.on_leading({1, "a", "worker-a"})) << "an older term";
}

TEST(fleet_leadership, who_lost_the_partition_leads_again_with_a_new_term_only)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    lead.on_leading({1, "a", "worker-a"});
    lead.set_candidate(false);
    EXPECT_FALSE(lead.leads());
    lead.set_candidate(true);
    EXPECT_FALSE(lead.leads());
    EXPECT_EQ(lead.to_announce(start + std::chrono::minutes{1}), 2U);
}

TEST(fleet_leadership, an_announcement_from_before_a_loss_of_the_partition_does_not_lead)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    lead.set_candidate(false);
    lead.set_candidate(true);
    lead.on_leading({1, "a", "worker-a"});
    EXPECT_FALSE(lead.leads());
}

TEST(fleet_leadership, an_announcement_that_does_not_come_back_is_written_again)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    EXPECT_FALSE(lead.to_announce(start + seconds{1}));
    EXPECT_EQ(lead.to_announce(start + fleet_leadership::announce_interval), 1U);
    lead.on_announced(1, start + fleet_leadership::announce_interval);
    EXPECT_TRUE(lead.on_leading({1, "a", "worker-a"}));
    EXPECT_TRUE(lead.on_leading({1, "a", "worker-a"})) << "the repeat";
    EXPECT_TRUE(lead.leads());
}

TEST(fleet_leadership, a_leader_repeats_itself_so_that_retention_does_not_make_it_unknown)
{
    auto lead = candidate();
    lead.on_announced(1, start);
    lead.on_leading({1, "a", "worker-a"});
    EXPECT_FALSE(lead.to_announce(start + seconds{9}));
    EXPECT_EQ(lead.to_announce(start + fleet_leadership::repeat_interval), 1U);
}

TEST(fleet_leadership, a_repeat_names_the_leader_to_who_knows_its_term_from_a_token_only)
{
    fleet_leadership lead{"a"};
    lead.on_term(7);
    EXPECT_TRUE(lead.on_leading({7, "b", "worker-b"}));
    EXPECT_EQ(lead.leader(), "worker-b");
}

} // namespace
} // namespace wxcourier::domain
