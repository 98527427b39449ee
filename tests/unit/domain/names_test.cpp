// SPDX-License-Identifier: Apache-2.0
#include "domain/push_job.hpp"
#include "domain/status_record.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

TEST(names, of_job_states_are_the_words_of_the_status_topic)
{
    using enum job_state;
    const std::pair<job_state, std::string_view> rows[] = {
        {sent, "sent"},           {failed, "failed"},           {expired, "expired"},
        {rejected, "rejected"},   {simulated, "simulated"},     {deferred, "deferred"},
        {delivered, "delivered"}, {undelivered, "undelivered"}, {event, "event"}};
    for (const auto& [state, word] : rows)
        EXPECT_EQ(to_string(state), word);
}

TEST(names, of_a_source_are_topic_partition_and_offset)
{
    EXPECT_EQ(to_string(source_position{"push.jobs", 3, 9'007'199'254'740'993}), "push.jobs/3/9007199254740993");
}

} // namespace
} // namespace wxcourier::domain
