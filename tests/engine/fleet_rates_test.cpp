// SPDX-License-Identifier: Apache-2.0
// An app's rate holds for the group and follows the work: three couriers over one log.
#include "tests/support/fleet_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace wxcourier::test {
namespace {

using std::chrono::minutes;

constexpr double rate = 100;
constexpr double burst = 20;

class fleet_rates : public fleet_test {
protected:
    fleet_rates()
    {
        options.apps[0].limits.rate_per_second = rate;
        options.apps[0].limits.burst = burst;
    }

    void append(std::int32_t partition, int count)
    {
        for (int i = 0; i < count; ++i)
            jobs.append(partition, job_text("job-" + std::to_string(next_job++)).json(), time.wall_now(), "key");
        for (auto& each : members)
            if (each->alive)
                each->source.tell_of_records();
    }
    /// A group that has its token and is at work no more.
    void start_calm(std::size_t count)
    {
        start_group(count);
        time.advance(seconds{2});
    }

    [[nodiscard]] std::vector<steady_time> sends() const
    {
        std::vector<steady_time> all;
        for (const auto& each : members)
            for (const auto& call : each->pushes.calls)
                if (!each->killed_at || call.at <= *each->killed_at)
                    all.push_back(call.at);
        std::sort(all.begin(), all.end());
        return all;
    }
    [[nodiscard]] std::size_t sent_within(steady_duration length)
    {
        const auto before = sends().size();
        time.advance(length);
        return sends().size() - before;
    }
    /// The most sends in any window of that length.
    [[nodiscard]] std::size_t most_within(steady_duration window) const
    {
        const auto all = sends();
        std::size_t most = 0;
        std::size_t first = 0;
        for (std::size_t last = 0; last < all.size(); ++last) {
            while (all[last] - all[first] >= window)
                ++first;
            most = std::max(most, last - first + 1);
        }
        return most;
    }
    void expect_never_over() const
    {
        EXPECT_LE(most_within(seconds{1}), rate + burst);
        EXPECT_LE(most_within(seconds{60}), 60 * rate + burst);
    }
    [[nodiscard]] double lent(std::size_t index)
    {
        return members[index]->metrics["wxcourier_rate_limit"].with({"shop"}).value();
    }
};

TEST_F(fleet_rates, who_is_alone_has_the_whole_rate)
{
    start_calm(1);
    append(0, 2000);
    time.advance(seconds{1});
    EXPECT_GE(sent_within(seconds{10}), 0.98 * rate * 10);
    EXPECT_EQ(lent(0), rate);
    expect_never_over();
}

TEST_F(fleet_rates, the_first_job_after_a_rest_goes_at_once)
{
    start_calm(3);
    time.advance(minutes{30});
    append(2, 1);
    EXPECT_EQ(sent_within(milliseconds{100}), 1U);
}

TEST_F(fleet_rates, nothing_is_said_while_there_is_no_work)
{
    start_calm(3);
    append(1, 10);
    time.advance(seconds{20});
    const auto before = shared.size();
    time.advance(minutes{5});
    EXPECT_LE(shared.size() - before, 5U * (6 + 1) + 5)
        << "the leader's sign of life, where quotas stand, and the dead that are forgotten";
}

TEST_F(fleet_rates, all_of_the_rate_is_used_when_all_have_work)
{
    start_calm(3);
    for (const std::int32_t partition : {0, 1, 2})
        append(partition, 1000);
    time.advance(seconds{2});
    EXPECT_GE(sent_within(seconds{10}), 0.95 * rate * 10);
    expect_never_over();
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(lent(i), rate / 3, 1) << i;
}

TEST_F(fleet_rates, more_partitions_weigh_more)
{
    start_calm(2);
    for (const std::int32_t partition : {2, 3})
        assign(*members[0], partition);
    for (const std::int32_t partition : {0, 1, 2, 3})
        append(partition, 1000);
    time.advance(seconds{2});
    EXPECT_NEAR(lent(0), rate * 3 / 4, 1);
    expect_never_over();
}

TEST_F(fleet_rates, the_rate_goes_where_the_work_is_within_two_seconds)
{
    start_calm(3);
    for (const std::int32_t partition : {0, 1, 2})
        append(partition, 200);
    time.advance(seconds{5});
    append(2, 2000);
    time.advance(seconds{5}); // the others have run out meanwhile
    EXPECT_GE(sent_within(seconds{5}), 0.95 * rate * 5);
    EXPECT_GE(lent(2), 0.95 * rate);
    append(0, 500);
    append(1, 500);
    time.advance(seconds{1});
    EXPECT_NEAR(lent(0), rate / 3, 2);
    EXPECT_NEAR(lent(2), rate / 3, 2);
    EXPECT_GE(sent_within(seconds{5}), 0.95 * rate * 5);
    expect_never_over();
}

TEST_F(fleet_rates, a_killed_leader_takes_its_share_with_it_for_as_long_as_its_right_only)
{
    start_calm(3);
    for (const std::int32_t partition : {0, 1, 2})
        append(partition, 3000);
    time.advance(seconds{3});
    kill(*members[0]);
    EXPECT_GE(sent_within(seconds{10}), 0.6 * rate * 10) << "without a leader the others go on with theirs";
    time.advance(seconds{4});
    EXPECT_GE(sent_within(seconds{10}), 0.95 * rate * 10);
    expect_never_over();
}

TEST_F(fleet_rates, one_that_comes_under_load_gets_its_part)
{
    start_calm(2);
    for (const std::int32_t partition : {0, 1, 2})
        append(partition, 2000);
    time.advance(seconds{3});
    assign(start(), 2);
    time.advance(seconds{1});
    EXPECT_NEAR(lent(2), rate / 3, 2);
    EXPECT_GE(sent_within(seconds{10}), 0.95 * rate * 10);
    expect_never_over();
}

TEST_F(fleet_rates, a_restart_brings_no_burst_with_it)
{
    start_calm(1);
    append(0, 2000);
    for (int restarts = 0; restarts < 4; ++restarts) {
        time.advance(milliseconds{700});
        auto& gone = *members.back();
        gone.holds.clear();
        kill(gone);
        assign(start(), 0); // a static member: its partition comes back at once
    }
    time.advance(seconds{5});
    EXPECT_GE(sent_within(seconds{5}), 0.95 * rate * 5);
    expect_never_over();
}

TEST_F(fleet_rates, whoever_takes_a_dead_ones_seat_has_its_share_at_once)
{
    options.fleet->seat = "seat-0";
    start_calm(1);
    append(0, 2000);
    time.advance(seconds{2});
    for (int restarts = 0; restarts < 4; ++restarts) {
        auto& gone = *members.back();
        gone.holds.clear();
        kill(gone);
        auto& next = start();
        assign(next, 0); // a static member: its partition comes back at once
        time.advance(milliseconds{300});
        EXPECT_GE(next.pushes.calls.size(), 1U) << restarts;
        time.advance(milliseconds{700});
        EXPECT_EQ(lent(members.size() - 1), rate);
    }
    EXPECT_GE(sent_within(seconds{5}), 0.95 * rate * 5);
    expect_never_over();
}

TEST_F(fleet_rates, without_its_seat_a_dead_ones_share_is_free_after_its_right_only)
{
    start_calm(1);
    append(0, 2000);
    time.advance(seconds{2});
    auto& gone = *members.back();
    gone.holds.clear();
    kill(gone);
    assign(start(), 0);
    time.advance(seconds{2});
    EXPECT_EQ(members[1]->pushes.calls.size(), 0U);
    time.advance(seconds{2});
    EXPECT_EQ(lent(1), rate);
    expect_never_over();
}

TEST_F(fleet_rates, who_hears_nothing_sends_nothing_and_goes_on_with_news)
{
    start_calm(2);
    append(0, 3000);
    append(1, 3000);
    time.advance(seconds{3});
    members[1]->reads = false;
    time.advance(seconds{3});
    const auto before = members[1]->pushes.calls.size();
    time.advance(seconds{5});
    EXPECT_EQ(members[1]->pushes.calls.size(), before);
    EXPECT_GE(sent_within(seconds{5}), 0.95 * rate * 5) << "its share went to the other";
    members[1]->reads = true;
    time.advance(seconds{2});
    EXPECT_NEAR(lent(1), rate / 2, 2);
    expect_never_over();
}

TEST_F(fleet_rates, who_leaves_gives_its_share_back)
{
    start_calm(2);
    append(0, 3000);
    append(1, 3000);
    time.advance(seconds{3});
    asio::co_spawn(loop, members[1]->courier->drain(time.now() + seconds{2}),
                   [](const std::exception_ptr&, engine::drain_report) {});
    time.advance(seconds{1});
    EXPECT_GE(lent(0), 0.98 * rate);
    expect_never_over();
}

} // namespace
} // namespace wxcourier::test
