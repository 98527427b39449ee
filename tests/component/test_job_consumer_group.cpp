// SPDX-License-Identifier: Apache-2.0
#include "kafka_fixture.hpp"

#include <algorithm>

namespace wxcourier::kafka_test {
namespace {

using engine::commit_result;

class job_consumer_group_test : public kafka_test {};

TEST_F(job_consumer_group_test, a_commit_for_an_assignment_that_has_ended_is_rejected_without_being_sent)
{
    cluster.create_topic("jobs", 2);
    member first(loop, group("jobs"));
    ASSERT_TRUE(first.holds(2));
    const auto old = first.listener.holding(0);
    EXPECT_EQ(first.commit({{old, 3, ""}}), std::vector{commit_result::committed});
    member second(loop, group("jobs"));
    ASSERT_TRUE(run_until(
        loop, [&] { return first.listener.assignments.size() == 1 && second.listener.assignments.size() == 1; }));
    EXPECT_FALSE(first.listener.assignments.contains(old)) << "an id is never used twice";
    const auto current = first.listener.assignments.begin()->first;
    EXPECT_EQ(first.commit({{old, 9, "late"}, {current, 4, ""}, {999, 1, ""}}),
              (std::vector{commit_result::rejected, commit_result::committed, commit_result::rejected}));
    EXPECT_EQ(first.consumer.poll(old), std::nullopt);
    const auto kept = first.listener.assignments.begin()->second.partition;
    ASSERT_TRUE(second.close(patience));
    ASSERT_TRUE(first.holds(2));
    for (const auto& [id, assignment] : first.listener.assignments) {
        const auto expected = assignment.partition == kept ? std::optional<std::int64_t>(4)
                              : assignment.partition == 0  ? std::optional<std::int64_t>(3)
                                                           : std::nullopt;
        if (id != current) { // A cooperative rebalance leaves that one as it is.
            EXPECT_EQ(assignment.committed, expected) << "the late commit has moved nothing";
        }
    }
}

TEST_F(job_consumer_group_test, a_rebalance_waits_until_the_engine_has_released_everything)
{
    cluster.create_topic("jobs", 2);
    produce("jobs", 20);
    member first(loop, group("jobs"));
    first.listener.release_at_once = false;
    ASSERT_TRUE(first.holds(2));
    const auto zero = first.listener.holding(0);
    const auto one = first.listener.holding(1);
    ASSERT_TRUE(run_until(loop, [&] { return first.listener.records.size() == 20; }));
    EXPECT_EQ(first.commit({{zero, 2, "m0"}, {one, 3, "m1"}}),
              (std::vector{commit_result::committed, commit_result::committed}));
    member second(loop, group("jobs"));
    // Both go in the eager protocol, one in the cooperative one.
    ASSERT_TRUE(run_until(loop, [&] { return !first.listener.revoking.empty(); }));
    EXPECT_TRUE(second.listener.assignments.empty());
    const std::vector<engine::assignment_id> going(first.listener.revoking.begin(), first.listener.revoking.end());
    EXPECT_EQ(first.consumer.poll(going.back()), std::nullopt) << "nothing new of what goes";
    first.consumer.release({going.begin(), going.end() - 1});
    EXPECT_EQ(first.consumer.stats().assigned_partitions, 2U) << "a part is no answer yet";
    // The mock cluster refuses commits from here on, where Kafka takes them; either way they are sent, not fenced.
    const bool is_zero = going.back() == zero;
    EXPECT_EQ(first.commit({{going.back(), is_zero ? 2 : 3, is_zero ? "m0" : "m1"}}).size(), 1U);
    for (const auto id : going) {
        first.listener.assignments.erase(id);
    }
    first.listener.release_at_once = true;
    first.consumer.release({going.back()});
    EXPECT_EQ(first.consumer.stats().assigned_partitions, 2U - going.size());
    ASSERT_TRUE(run_until(
        loop, [&] { return first.listener.assignments.size() == 1 && second.listener.assignments.size() == 1; }));
    const auto& assigned = second.listener.assignments.begin()->second;
    EXPECT_EQ(assigned.committed, assigned.partition == 0 ? 2 : 3);
    EXPECT_EQ(assigned.commit_metadata, assigned.partition == 0 ? "m0" : "m1");
}

TEST_F(job_consumer_group_test, an_old_generation_loses_the_partitions_and_they_come_back_with_new_ids)
{
    cluster.create_topic("jobs");
    member reader(loop, group("jobs"));
    ASSERT_TRUE(reader.holds(1));
    const auto old = reader.listener.holding(0);
    cluster.push_errors(kafka::api_key::offset_commit, {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION});
    EXPECT_EQ(reader.commit({{old, 1, ""}}), std::vector{commit_result::rejected});
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.lost.contains(old); }));
    EXPECT_TRUE(reader.listener.revoking.empty()) << "lost partitions are not asked back";
    ASSERT_TRUE(reader.holds(1));
    EXPECT_NE(reader.listener.holding(0), old);
    EXPECT_EQ(reader.consumer.stats().rebalances_lost, 1U);
}

TEST_F(job_consumer_group_test, a_fenced_member_loses_everything_and_fails)
{
    cluster.create_topic("jobs");
    auto settings = group("jobs");
    settings.client.properties.emplace("group.instance.id", secret("worker-0"));
    member reader(loop, settings);
    ASSERT_TRUE(reader.holds(1));
    const auto id = reader.listener.holding(0);
    cluster.push_errors(kafka::api_key::heartbeat, {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID});
    ASSERT_TRUE(run_until(loop, [&] { return !reader.listener.failures.empty(); }));
    EXPECT_TRUE(reader.listener.lost.contains(id));
    EXPECT_EQ(reader.consumer.poll(id), std::nullopt);
    EXPECT_EQ(reader.listener.failures.size(), 1U);
    EXPECT_EQ(reader.commit({{id, 1, ""}}), std::vector{commit_result::rejected});
}

TEST_F(job_consumer_group_test, partitions_that_are_taken_away_while_their_commits_are_looked_up_never_reach_the_engine)
{
    cluster.create_topic("jobs");
    member reader(loop, group("jobs"));
    // The lookup hangs, the member's session goes meanwhile.
    cluster.push_delay(1, kafka::api_key::offset_fetch, 4000);
    cluster.push_errors(kafka::api_key::heartbeat, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
    ASSERT_TRUE(run_until(loop, [&] { return reader.consumer.stats().rebalances_lost == 1; }));
    EXPECT_EQ(reader.listener.assigned_calls, 0);
    ASSERT_TRUE(reader.holds(1));
    EXPECT_EQ(reader.listener.assigned_calls, 1);
    EXPECT_TRUE(reader.listener.lost.empty());
}

TEST_F(job_consumer_group_test, it_closes_within_its_deadline_while_the_broker_is_away)
{
    cluster.create_topic("jobs");
    produce("jobs", 5);
    member reader(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return reader.listener.records.size() == 5; }));
    cluster.set_down();
    const auto number = reader.consumer.commit({{reader.listener.holding(0), 5, ""}});
    const auto before = steady_clock::now();
    reader.close(3s);
    EXPECT_LT(steady_clock::now() - before, 4s);
    ASSERT_TRUE(reader.listener.commits.contains(number)) << "every commit is answered";
    EXPECT_EQ(reader.listener.commits[number], std::vector{commit_result::failed});
}

TEST_F(job_consumer_group_test, it_closes_in_the_middle_of_a_rebalance)
{
    cluster.create_topic("jobs", 2);
    member first(loop, group("jobs"));
    first.listener.release_at_once = false;
    ASSERT_TRUE(first.holds(2));
    member second(loop, group("jobs"));
    ASSERT_TRUE(run_until(loop, [&] { return !first.listener.revoking.empty(); }));
    EXPECT_TRUE(first.close(10s)) << "with its answer still owed";
    ASSERT_TRUE(second.holds(2));
}

TEST_F(job_consumer_group_test, it_closes_while_it_is_still_joining)
{
    cluster.create_topic("jobs");
    member reader(loop, group("jobs"));
    EXPECT_TRUE(reader.close(20s));
    EXPECT_EQ(reader.listener.assigned_calls, 0);
}

TEST_F(job_consumer_group_test, a_member_that_leaves_hands_its_partitions_over_at_once)
{
    cluster.create_topic("jobs", 2);
    member first(loop, group("jobs"));
    member second(loop, group("jobs"));
    ASSERT_TRUE(run_until(
        loop, [&] { return first.listener.assignments.size() == 1 && second.listener.assignments.size() == 1; }));
    EXPECT_TRUE(first.close(10s));
    EXPECT_TRUE(second.holds(2));
}

} // namespace
} // namespace wxcourier::kafka_test
