// SPDX-License-Identifier: Apache-2.0
// Replicas with a classic app: one of them fetches, all of them use; whoever dies, whatever the clocks say.
#include "tests/support/fleet_fixture.hpp"

namespace wxcourier::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Each;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const std::vector<milliseconds> three_minutes_apart{minutes{0}, minutes{3}, minutes{-3}, minutes{1}, minutes{-2}};

class fleet : public fleet_test {
protected:
    /// All that was appended is sent, nothing failed, and nothing was sent with a token known to be dead.
    void expect_all_sent()
    {
        EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
        EXPECT_THAT(outcomes(), SizeIs(next_job));
        EXPECT_THAT(late_sends, IsEmpty());
        EXPECT_THAT(failures, IsEmpty());
        EXPECT_LE(endpoint.most_in_flight, 1) << "two refreshes were in flight";
    }
    [[nodiscard]] double ignored(const std::string& topic, const std::string& reason)
    {
        return members.front()->metrics["wxcourier_fleet_records_ignored_total"].with({topic, reason}).value();
    }
};

TEST_F(fleet, one_refresh_serves_all_replicas)
{
    start_group(5);
    append_jobs(20);
    time.advance(seconds{5});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 1);
    ASSERT_NE(leader(), nullptr);
    EXPECT_TRUE(leader()->holds.contains(0));
    EXPECT_EQ(members.back()->courier->credential_state(0).owner, "worker-1");
}

TEST_F(fleet, a_token_that_dies_is_renewed_once_whoever_notices)
{
    start_group(5);
    time.advance(seconds{1});
    endpoint.end_token();
    assign(start(), 7); // a replica that began later notices it
    jobs.append(7, job_text("late").to("late").json(), time.wall_now(), "key");
    ++next_job;
    members.back()->source.tell_of_records();
    time.advance(seconds{2});
    append_jobs(5);
    time.advance(seconds{2});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 2);
}

TEST_F(fleet, two_thousand_refusals_are_one_refresh)
{
    start_group(5);
    time.advance(seconds{1});
    endpoint.end_token();
    append_jobs(400);
    time.advance(seconds{5});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 2);
}

TEST_F(fleet, a_change_of_leader_costs_no_refresh)
{
    start_group(5);
    time.advance(seconds{1});
    for (int round = 0; round < 3; ++round) {
        auto* const before = leader();
        ASSERT_NE(before, nullptr);
        kill(*before);
        time.advance(session_timeout + seconds{1});
        ASSERT_NE(leader(), nullptr) << "the lead did not move";
        append_jobs(1);
        time.advance(seconds{1});
    }
    EXPECT_EQ(endpoint.made, 1);
    EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
}

TEST_F(fleet, a_replica_that_starts_uses_the_token_that_is_there)
{
    start_group(2);
    time.advance(minutes{30});
    auto& added = start(minutes{-3});
    EXPECT_NE(added.courier->tokens().current(0), nullptr);
    kill(*members[0]);
    kill(*members[1]);
    time.advance(session_timeout + seconds{1});
    EXPECT_EQ(leader(), &added);
    EXPECT_EQ(endpoint.made, 1);
}

/// The owner dies at one moment of a refresh: before it, between any two records, during the call, after it.
class owner_dies : public fleet, public testing::WithParamInterface<int> {};

TEST_P(owner_dies, and_at_most_one_refresh_more_is_made)
{
    start_group(5, three_minutes_apart);
    append_jobs(2);
    time.advance(seconds{2});
    ASSERT_EQ(endpoint.made, 1);
    endpoint.end_token();
    append_jobs(2);
    time.advance(milliseconds{GetParam()});
    kill(*members[0]);
    time.advance(seconds{2});
    append_jobs(2);
    time.advance(session_timeout + seconds{25});
    append_jobs(2);
    time.advance(seconds{2});
    expect_all_sent();
    EXPECT_GE(endpoint.made, 2);
    EXPECT_LE(endpoint.made, 3) << "more than one refresh too many";
    EXPECT_NE(leader(), nullptr);
}

// The refusal comes at 20 ms, the announcement stands at 22 and is read at 25; the call has its effect at 75 and ends
// at 125; the token stands at 127 and is read at 130.
INSTANTIATE_TEST_SUITE_P(at, owner_dies,
                         testing::Values(0, 19, 20, 21, 22, 23, 24, 25, 26, 50, 74, 75, 76, 100, 124, 125, 126, 127,
                                         128, 129, 130, 131, 200));

TEST_F(fleet, owners_that_die_one_after_another_cost_one_refresh_each_at_most)
{
    start_group(5, three_minutes_apart);
    time.advance(seconds{1});
    endpoint.end_token();
    append_jobs(1);
    for (int deaths = 0; deaths < 4; ++deaths) {
        const auto calls = endpoint.calls.size();
        ASSERT_TRUE(time.advance_until([&] { return endpoint.calls.size() > calls; }, minutes{2}));
        time.advance(milliseconds{60}); // the call has had its effect, its answer is on the way
        ASSERT_NE(leader(), nullptr);
        kill(*leader());
    }
    time.advance(minutes{2});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 6) << "the first, one for the dead token, one for each death";
}

TEST_F(fleet, ten_minutes_without_the_token_endpoint_cost_no_message)
{
    start_group(5, three_minutes_apart);
    time.advance(seconds{1});
    endpoint.down = true;
    endpoint.end_token();
    for (int minute = 0; minute < 10; ++minute) {
        append_jobs(2);
        time.advance(minutes{1});
        if (minute == 4)
            kill(*members[0]);
    }
    const auto calls = endpoint.calls.size();
    EXPECT_LE(calls, 60U) << "hammering";
    endpoint.down = false;
    time.advance(minutes{2});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 2);
}

TEST_F(fleet, clocks_three_minutes_apart_never_leave_a_replica_with_an_expired_token)
{
    endpoint.life = minutes{30};
    start_group(5, three_minutes_apart);
    for (int minute = 0; minute < 60; ++minute) {
        time.advance(minutes{1});
        append_jobs(1);
        if (minute == 15) { // one that leads with a clock that is off, and one that reads the token late
            kill(*members[0]);
            start(minutes{3});
        }
    }
    time.advance(seconds{30});
    expect_all_sent();
    EXPECT_THAT(known_dead, IsEmpty()) << "a token was used beyond its end";
    EXPECT_LE(endpoint.made, 4);
}

TEST_F(fleet, who_is_cut_off_from_the_log_does_not_fetch)
{
    start_group(3);
    time.advance(seconds{1});
    members[0]->reads = false; // it still believes that it leads
    assign(*members[1], 0);
    time.advance(seconds{1});
    endpoint.end_token();
    append_jobs(3);
    time.advance(minutes{1});
    EXPECT_EQ(endpoint.made, 2);
    EXPECT_LE(endpoint.most_in_flight, 1);
    members[0]->reads = true;
    lose_all(*members[0]);
    append_jobs(1);
    time.advance(minutes{2});
    EXPECT_EQ(leader(), members[1].get());
    EXPECT_EQ(endpoint.made, 2);
    expect_all_sent();
}

TEST_F(fleet, a_token_record_that_is_damaged_replayed_or_foreign_changes_nothing)
{
    start_group(2);
    time.advance(seconds{1});
    endpoint.end_token();
    append_jobs(1);
    time.advance(seconds{2});
    ASSERT_EQ(endpoint.made, 2);
    std::vector<std::string> tokens;
    for (const auto& each : shared)
        if (each.topic == "push.tokens")
            tokens.push_back(*each.value);
    ASSERT_THAT(tokens, SizeIs(2));
    write({"push.tokens", "shop", tokens[0], {}});                                 // replayed
    write({"push.tokens", "shop", tokens[1].substr(0, tokens[1].size() / 2), {}}); // truncated
    auto damaged = tokens[1];
    damaged[damaged.size() - 5] = damaged[damaged.size() - 5] == '0' ? '1' : '0';
    write({"push.tokens", "shop", damaged, {}});
    write({"push.tokens", "game", tokens[1], {}}); // of no app here
    write({"push.tokens", "shop", std::nullopt, {}});
    write({"push.tokens", std::nullopt, "garbage", {}});
    write({"push.fleet", "shop", "garbage", {}});
    write({"push.fleet", "shop", R"({"version":1,"type":"refreshing","app":"shop","term":0,"generation":1})", {}});
    write({"push.fleet", "shop", R"({"version":2,"type":"something"})", {}});
    write({"push.fleet", "shop", R"({"version":1,"type":"something","of":"a newer release"})", {}});
    time.advance(seconds{1});
    append_jobs(2);
    time.advance(seconds{2});
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 2);
    EXPECT_EQ(ignored("tokens", "older"), 1);
    EXPECT_EQ(ignored("tokens", "malformed"), 1);
    EXPECT_EQ(ignored("tokens", "not_authentic"), 1);
    EXPECT_EQ(ignored("fleet", "malformed"), 1);
    EXPECT_EQ(ignored("fleet", "old_term"), 1);
}

TEST_F(fleet, another_key_means_a_token_of_its_own)
{
    start_group(1);
    time.advance(seconds{1});
    kill(*members[0]);
    time.advance(minutes{1});
    options.fleet->token_key = secret(std::string(32, 'n'));
    assign(start(), 0);
    time.advance(seconds{25}); // it cannot know what came of the last refresh
    append_jobs(1);
    time.advance(seconds{2});
    EXPECT_EQ(endpoint.made, 2);
    EXPECT_EQ(members[1]->metrics["wxcourier_fleet_records_ignored_total"].with({"tokens", "unknown_key"}).value(), 1);
    expect_all_sent();
}

TEST_F(fleet, followers_say_why_there_is_no_token)
{
    start_group(2);
    time.advance(seconds{1});
    endpoint.down = true;
    endpoint.end_token();
    append_jobs(1);
    time.advance(seconds{5});
    EXPECT_EQ(members[1]->courier->credential_state(0).health, domain::token_health::renewing);
    EXPECT_EQ(members[1]->courier->credential_state(0).detail, "connection refused");
}

TEST_F(fleet, a_token_that_works_for_followers_is_a_proven_one)
{
    start_group(2);
    kill(*members[1]); // the leader itself sends nothing
    auto& follower = start();
    assign(follower, 5);
    time.advance(session_timeout + seconds{1});
    for (int round = 0; round < 3; ++round) {
        jobs.append(5, job_text("job-" + std::to_string(next_job++)).json(), time.wall_now(), "key");
        follower.source.tell_of_records();
        time.advance(seconds{1});
        endpoint.end_token();
        jobs.append(5, job_text("job-" + std::to_string(next_job++)).json(), time.wall_now(), "key");
        follower.source.tell_of_records();
        time.advance(seconds{5});
    }
    expect_all_sent();
    EXPECT_EQ(endpoint.made, 4) << "no halt for tokens that had worked";
}

} // namespace
} // namespace wxcourier::test
