// SPDX-License-Identifier: Apache-2.0
#include "domain/delay_plan.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class delay_plan_test : public ::testing::Test {
protected:
    /// Follows a job from topic to topic, each turn taking so much longer than the topic's length.
    /// @return what is left to be waited in memory.
    milliseconds follow(milliseconds wait, milliseconds late, std::size_t* turns = nullptr) const
    {
        while (wait > plan.longest_in_memory()) {
            wait -= lengths[plan.topic_for(wait, wait_end::known)] + late;
            if (turns != nullptr)
                ++*turns;
        }
        return wait;
    }

    const std::vector<milliseconds> lengths{minutes{1}, minutes{10}, hours{1}};
    const delay_plan plan{lengths};
};

TEST_F(delay_plan_test, a_wait_of_about_a_minute_is_waited_in_memory)
{
    EXPECT_EQ(plan.longest_in_memory(), seconds{65});
    EXPECT_EQ(plan.topic_for(seconds{66}, wait_end::known), 0U);
}

TEST_F(delay_plan_test, no_job_is_late_for_what_the_topics_take_themselves)
{
    for (milliseconds wait = seconds{66}; wait < hours{3}; wait += milliseconds{997}) {
        EXPECT_GE(follow(wait, milliseconds{0}), milliseconds{5000}) << wait.count();
        EXPECT_GT(follow(wait, milliseconds{300}), milliseconds{4000}) << wait.count();
    }
}

TEST_F(delay_plan_test, a_known_end_passes_over_the_shortest_topic_last)
{
    for (milliseconds wait = seconds{66}; wait < hours{3}; wait += milliseconds{997})
        for (std::size_t topic = 1; topic < lengths.size(); ++topic)
            if (plan.topic_for(wait, wait_end::known) == topic) {
                EXPECT_GE(wait - lengths[topic], plan.longest_in_memory()) << wait.count();
            }
}

TEST_F(delay_plan_test, a_week_takes_few_turns)
{
    std::size_t turns = 0;
    follow(hours{24 * 7}, milliseconds{100}, &turns);
    EXPECT_LE(turns, 190U);
}

TEST_F(delay_plan_test, a_wait_with_an_open_end_takes_the_longest_topic_that_fits)
{
    EXPECT_EQ(plan.topic_for(seconds{1}, wait_end::open), 0U);
    EXPECT_EQ(plan.topic_for(minutes{1}, wait_end::open), 0U);
    EXPECT_EQ(plan.topic_for(minutes{9}, wait_end::open), 0U);
    EXPECT_EQ(plan.topic_for(minutes{10}, wait_end::open), 1U);
    EXPECT_EQ(plan.topic_for(hours{2}, wait_end::open), 2U);
}

TEST_F(delay_plan_test, the_longer_it_has_lasted_the_later_it_is_looked_at)
{
    EXPECT_EQ(plan.next_look(milliseconds{0}), minutes{1});
    EXPECT_EQ(plan.next_look(minutes{3}), minutes{3});
    EXPECT_EQ(plan.next_look(hours{3}), minutes{10});
}

TEST_F(delay_plan_test, a_record_from_a_clock_ahead_is_not_waited_for_longer_than_its_topic_lasts)
{
    const wall_time now{hours{1000}};
    EXPECT_EQ(plan.looked_at(0, now - seconds{10}, now), now + seconds{50});
    EXPECT_EQ(plan.looked_at(0, now + hours{5}, now), now + minutes{1});
}

} // namespace
} // namespace wxcourier::domain
