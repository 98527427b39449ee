// SPDX-License-Identifier: Apache-2.0
// What the day's quota lets a lane of the send queue send.
#include "domain/send_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const steady_time start{hours{1000}};
constexpr lane shop{0, 0};
constexpr lane other_call{0, 1};

class send_queue_budget : public ::testing::Test {
protected:
    std::vector<queue_item> pop_all(steady_time now = start)
    {
        std::vector<queue_item> items;
        while (const auto item = queue.pop(now))
            items.push_back(*item);
        return items;
    }
    void push(queue_item item, priority urgency = priority::normal, lane where = shop)
    {
        queue.push(item, where, urgency, start);
    }
    void grant(quota_amount cap)
    {
        send_queue::lane_budget budget;
        budget.cap = cap;
        queue.set_budget(shop, budget, start);
    }

    send_queue queue{{app_limits{1e6, 1e6, 100'000, 8}}};
};

TEST_F(send_queue_budget, a_lane_sends_what_it_was_granted_and_goes_on_when_it_gets_more)
{
    grant({0, 2});
    for (queue_item item = 1; item <= 4; ++item)
        push(item);
    push(9, priority::normal, other_call);
    EXPECT_THAT(pop_all(), SizeIs(3)) << "two of this call; the other call has a quota of its own";
    EXPECT_EQ(queue.use_of_lane(shop, start).ready.normal, 2);
    grant({0, 3});
    EXPECT_THAT(pop_all(), ElementsAre(3));
    EXPECT_EQ(queue.use_of_lane(shop, start).used, (quota_amount{0, 3}));
    EXPECT_EQ(queue.use_of_lane(shop, start).under_way, (quota_amount{0, 3}));
}

TEST_F(send_queue_budget, messages_of_high_priority_use_their_own_permits_first_and_then_the_others)
{
    grant({1, 1});
    push(1, priority::high);
    push(2, priority::high);
    push(3, priority::high);
    push(4);
    EXPECT_THAT(pop_all(), ElementsAre(1, 2));
    EXPECT_EQ(queue.use_of_lane(shop, start).used, (quota_amount{1, 1}));
}

TEST_F(send_queue_budget, messages_that_are_not_of_high_priority_leave_the_reserve)
{
    grant({5, 0});
    push(1);
    push(2, priority::low);
    EXPECT_THAT(pop_all(), IsEmpty());
    push(3, priority::high);
    EXPECT_THAT(pop_all(), ElementsAre(3));
}

TEST_F(send_queue_budget, what_did_not_count_goes_to_the_next_message)
{
    grant({0, 1});
    push(1);
    push(2);
    EXPECT_THAT(pop_all(), ElementsAre(1));
    queue.uncount(1);
    queue.release(1, start);
    EXPECT_THAT(pop_all(), ElementsAre(2));
}

TEST_F(send_queue_budget, what_was_under_way_when_the_count_began_anew_is_not_taken_back_from_it)
{
    grant({0, 2});
    push(1);
    push(2);
    EXPECT_THAT(pop_all(), SizeIs(2));
    const auto use = queue.use_of_lane(shop, start);
    queue.count_anew(shop, use.under_way);
    queue.uncount(1);
    queue.release(1, start);
    EXPECT_EQ(queue.use_of_lane(shop, start).used, (quota_amount{0, 2}));
    EXPECT_EQ(queue.use_of_lane(shop, start).under_way, (quota_amount{0, 1}));
}

TEST_F(send_queue_budget, somebody_is_told_of_the_first_message_and_of_the_first_that_waits)
{
    EXPECT_THAT(queue.take_newly_used(), IsEmpty());
    push(1);
    pop_all();
    EXPECT_THAT(queue.take_newly_used(), SizeIs(1));
    push(2);
    pop_all();
    EXPECT_THAT(queue.take_newly_used(), IsEmpty());
    EXPECT_THAT(queue.take_newly_short(), IsEmpty());
    grant({0, 3});
    push(3);
    push(4);
    push(5);
    EXPECT_THAT(pop_all(), ElementsAre(3));
    EXPECT_THAT(queue.take_newly_short(), SizeIs(1));
    push(6);
    pop_all();
    EXPECT_THAT(queue.take_newly_short(), IsEmpty()) << "it is known";
}

TEST_F(send_queue_budget, a_used_up_quota_has_the_lane_wait_and_its_clock_stand_still)
{
    send_queue::lane_budget budget;
    budget.cap = {5, 0};
    budget.normal_used_up_until = start + hours{2};
    queue.set_budget(shop, budget, start);
    EXPECT_EQ(queue.held_until(shop, priority::normal, start), start + hours{2});
    EXPECT_EQ(queue.held_until(shop, priority::high, start), std::nullopt);
    const auto before = queue.active_time(shop, start);
    EXPECT_EQ(queue.active_time(shop, start + hours{1}), before);
    queue.park(shop, start + hours{3}, start);
    EXPECT_EQ(queue.held_until(shop, priority::normal, start), start + hours{3}) << "the later of the two";
    queue.set_budget(shop, {}, start + hours{2});
    EXPECT_EQ(queue.held_until(shop, priority::high, start + hours{2}), start + hours{3});
    EXPECT_EQ(queue.held_until(shop, priority::normal, start + hours{3}), std::nullopt);
}

TEST_F(send_queue_budget, what_waits_for_a_quota_that_is_not_there_wants_no_part_of_the_rate)
{
    grant({0, 0});
    push(1);
    push(2, priority::high);
    pop_all();
    EXPECT_EQ(queue.use_of_rate(0, start).ready, 2U) << "a grant is on its way";
    send_queue::lane_budget budget;
    budget.cap = {};
    budget.scarce = true;
    queue.set_budget(shop, budget, start);
    EXPECT_EQ(queue.use_of_rate(0, start).ready, 1U);
}

} // namespace
} // namespace wxcourier::domain
