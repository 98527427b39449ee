// SPDX-License-Identifier: Apache-2.0
// What operators say to one replica holds on all of them, also those that start later.
#include "codec/fleet_record_codec.hpp"
#include "tests/support/fleet_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

namespace wxcourier::test {
namespace {

using domain::job_state;
using engine::operator_outcome;
using engine::operator_scope;
using result = operator_outcome::result;
using std::chrono::minutes;
using testing::SizeIs;

const domain::pause_target shop{"shop", {}, {}};

class operator_group : public fleet_test {
protected:
    using answer_slot = std::shared_ptr<std::optional<operator_outcome>>;

    answer_slot ask(asio::awaitable<operator_outcome> call)
    {
        auto came = std::make_shared<std::optional<operator_outcome>>();
        asio::co_spawn(loop, std::move(call),
                       [came](const std::exception_ptr&, operator_outcome outcome) { *came = outcome; });
        time.settle();
        return came;
    }
    answer_slot ask_pause(group_member& at, domain::pause_target target = shop)
    {
        return ask(at.courier->operators().pause(std::move(target), operator_scope::group, "alice"));
    }
    operator_outcome answer_to(const answer_slot& slot)
    {
        time.advance_until([&slot] { return slot->has_value(); }, seconds{10});
        EXPECT_TRUE(slot->has_value()) << "no answer";
        return slot->value_or(operator_outcome{});
    }
    result pause(group_member& at, domain::pause_target target = shop)
    {
        return answer_to(ask_pause(at, std::move(target))).what;
    }
    result resume(group_member& at, domain::pause_target target = shop)
    {
        return answer_to(ask(at.courier->operators().resume(std::move(target), operator_scope::group, "bob"))).what;
    }
    std::size_t sends()
    {
        std::size_t sum = 0;
        for (const auto& each : members)
            sum += each->pushes.calls.size();
        return sum;
    }
    std::size_t events()
    {
        std::size_t sum = 0;
        for (const auto& each : members)
            sum += each->statuses.statuses(job_state::event).size();
        return sum;
    }
    std::size_t snapshots()
    {
        std::size_t count = 0;
        for (const auto& each : shared)
            count += each.value && each.value->find("operator_state") != std::string::npos ? 1 : 0;
        return count;
    }
};

TEST_F(operator_group, a_pause_through_one_replica_stops_all_within_two_seconds)
{
    start_group(2);
    time.advance(seconds{5});
    const auto outcome = answer_to(ask_pause(*members[0]));
    EXPECT_EQ(outcome.what, result::done);
    EXPECT_TRUE(outcome.offset);
    time.advance(milliseconds{100});
    append_jobs(5);
    time.advance(minutes{1});
    EXPECT_EQ(sends(), 0U);
    EXPECT_EQ(resume(*members[1]), result::done);
    time.advance(seconds{2});
    EXPECT_EQ(outcomes().size(), 10U);
    EXPECT_EQ(events(), 2U) << "once for each change, by the replica that took the call";
}

TEST_F(operator_group, a_pause_outlives_the_restart_of_every_replica)
{
    start_group(2);
    time.advance(seconds{5});
    pause(*members[0]);
    for (auto& each : members)
        kill(*each);
    auto& late = start();
    assign(late, 0);
    assign(late, 1);
    append_jobs(3);
    time.advance(minutes{1});
    EXPECT_EQ(sends(), 0U);
    EXPECT_EQ(resume(late), result::done);
    time.advance(seconds{30});
    EXPECT_EQ(outcomes().size(), 6U);
}

TEST_F(operator_group, nothing_is_sent_before_the_log_has_been_read)
{
    start_group(1);
    time.advance(seconds{5});
    pause(*members[0]);
    kill(*members[0]);
    auto& late = start(milliseconds{0}, {0, false});
    assign(late, 0);
    append_jobs(3);
    time.advance(minutes{5});
    EXPECT_EQ(sends(), 0U) << "whether something is paused is not known";
    EXPECT_EQ(answer_to(ask_pause(late)).what, result::not_known);
    catch_up(late);
    time.advance(seconds{30});
    EXPECT_EQ(sends(), 0U) << "it is";
    EXPECT_EQ(resume(late), result::done);
    time.advance(seconds{30});
    EXPECT_EQ(outcomes().size(), 3U);
}

TEST_F(operator_group, the_leader_repeats_what_holds_for_those_who_begin_in_the_middle)
{
    start_group(1);
    time.advance(seconds{5});
    pause(*members[0]);
    const auto before = snapshots();
    time.advance(minutes{3});
    EXPECT_EQ(snapshots() - before, 3U);
    auto& late = start(milliseconds{0}, {shared.size() - 30, true});
    EXPECT_TRUE(late.courier->operators().group().pauses_app("shop"));
}

TEST_F(operator_group, who_begins_behind_the_last_snapshot_reads_the_log_from_its_beginning)
{
    start_group(1);
    time.advance(seconds{5});
    pause(*members[0]);
    time.advance(seconds{50});
    auto& late = start(milliseconds{0}, {shared.size() - 1, true});
    EXPECT_TRUE(late.courier->operators().group().pauses_app("shop"));
    EXPECT_EQ(resume(late), result::done);
    EXPECT_FALSE(members[0]->courier->operators().group().pauses_app("shop"));
}

TEST_F(operator_group, what_holds_already_is_not_said_again)
{
    start_group(2);
    time.advance(seconds{5});
    EXPECT_EQ(pause(*members[0]), result::done);
    EXPECT_EQ(pause(*members[1]), result::unchanged);
    EXPECT_EQ(resume(*members[1]), result::done);
    EXPECT_EQ(resume(*members[0]), result::unchanged);
    EXPECT_EQ(events(), 2U);
}

TEST_F(operator_group, two_who_say_the_same_at_once_make_one_change)
{
    start_group(2);
    time.advance(seconds{5});
    const auto first = ask_pause(*members[0]);
    const auto second = ask_pause(*members[1]);
    const auto answers = {answer_to(first).what, answer_to(second).what};
    EXPECT_THAT(answers, testing::UnorderedElementsAre(result::done, result::unchanged));
    EXPECT_EQ(events(), 1U);
}

TEST_F(operator_group, two_words_to_one_replica_at_once_are_both_said)
{
    start_group(1);
    time.advance(seconds{5});
    const auto first = ask_pause(*members[0]);
    const auto second = ask_pause(*members[0], {{}, "official.custom", {}});
    EXPECT_EQ(answer_to(first).what, result::done);
    EXPECT_EQ(answer_to(second).what, result::done);
}

TEST_F(operator_group, a_topic_that_takes_no_records_leaves_nothing_half_done)
{
    start_group(2);
    time.advance(seconds{5});
    writable = false;
    EXPECT_EQ(pause(*members[0]), result::not_written);
    EXPECT_EQ(pause(*members[0]), result::not_written) << "and nothing piles up";
    make_writable();
    time.advance(minutes{1});
    append_jobs(2);
    time.advance(seconds{10});
    EXPECT_EQ(outcomes().size(), 4U) << "what was answered with no did not happen later";
    EXPECT_EQ(pause(*members[0]), result::done);
}

TEST_F(operator_group, a_rate_for_the_group_is_shared_like_the_configured_one)
{
    start_group(2);
    time.advance(seconds{5});
    const auto changed = ask(members[0]->courier->operators().change_rate(
        "shop", {.per_second = 4.0, .burst = 2.0, .concurrency = {}}, operator_scope::group, "alice"));
    EXPECT_EQ(answer_to(changed).what, result::done);
    time.advance(seconds{1});
    const auto before = sends();
    append_jobs(100);
    time.advance(seconds{10});
    EXPECT_LE(sends() - before, 4U * 10 + 2 + 2);
    EXPECT_GE(sends() - before, 30U);
}

TEST_F(operator_group, a_word_for_one_instance_stays_there)
{
    start_group(2);
    time.advance(seconds{5});
    const auto slot = ask(members[0]->courier->operators().pause(shop, operator_scope::instance, "alice"));
    EXPECT_EQ(answer_to(slot).what, result::done);
    append_jobs(5);
    time.advance(seconds{5});
    EXPECT_TRUE(members[0]->pushes.calls.empty());
    EXPECT_THAT(members[1]->pushes.calls, SizeIs(5));
}

TEST_F(operator_group, a_token_that_is_replaced_for_the_group_is_fetched_by_all_and_once_each)
{
    options.apps[0].token.origin = domain::token_origin::stable;
    start_group(3);
    time.advance(seconds{5});
    const auto before = endpoint.calls.size();
    EXPECT_EQ(before, 3U);
    members[0]->courier->tokens().replace_token(0, true);
    time.advance(seconds{2});
    EXPECT_EQ(endpoint.calls.size() - before, 3U) << "the forced call, and one of each other replica";
    time.advance(minutes{10});
    EXPECT_EQ(endpoint.calls.size() - before, 3U);
}

TEST_F(operator_group, a_token_that_is_replaced_for_one_replica_is_nobody_elses_concern)
{
    options.apps[0].token.origin = domain::token_origin::stable;
    start_group(2);
    time.advance(seconds{5});
    const auto before = endpoint.calls.size();
    members[0]->courier->tokens().replace_token(0, false);
    time.advance(seconds{10});
    EXPECT_EQ(endpoint.calls.size() - before, 1U);
}

} // namespace
} // namespace wxcourier::test
