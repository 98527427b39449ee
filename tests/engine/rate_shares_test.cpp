// SPDX-License-Identifier: Apache-2.0
// An app's rate holds for the group: replicas divide it by the partitions they hold.
#include "tests/support/courier_fixture.hpp"

#include <algorithm>

namespace wxcourier::test {
namespace {

constexpr double rate = 100;
constexpr double burst = 20;

class rate_shares : public courier_test {
protected:
    rate_shares()
    {
        options.apps.resize(1);
        options.apps[0].limits.rate_per_second = rate;
        options.apps[0].limits.burst = burst;
        for (std::int32_t partition = 0; partition < 4; ++partition)
            for (int i = 0; i < 400; ++i)
                append(job_text("p" + std::to_string(partition) + "-" + std::to_string(i)), partition);
    }
    // Replicas go before what they use.
    void TearDown() override { replicas.clear(); }

    replica& start_sharing(std::int32_t partitions = 4)
    {
        return start([partitions](auto& each) { each.courier->know_partitions({{"push.jobs", partitions}}); });
    }
    void hold(replica& who, std::int32_t partition) { held[&who].push_back(who.source.assign(partition)); }

    [[nodiscard]] std::vector<steady_time> sends() const
    {
        std::vector<steady_time> all;
        for (const auto& each : replicas)
            for (const auto& call : each->pushes.calls)
                all.push_back(call.at);
        std::sort(all.begin(), all.end());
        return all;
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
    std::map<replica*, std::vector<engine::assignment_id>> held;
};

TEST_F(rate_shares, who_holds_all_partitions_has_the_whole_rate)
{
    auto& only = start_sharing();
    for (std::int32_t partition = 0; partition < 4; ++partition)
        hold(only, partition);
    time.advance(seconds{10});
    EXPECT_NEAR(static_cast<double>(sends().size()), rate * 10, 5);
    EXPECT_EQ(only.metrics["wxcourier_rate_limit"].with({"shop"}).value(), rate);
}

TEST_F(rate_shares, replicas_together_keep_the_rate)
{
    auto& most = start_sharing();
    auto& least = start_sharing();
    for (std::int32_t partition = 0; partition < 3; ++partition)
        hold(most, partition);
    hold(least, 3);
    time.advance(seconds{5});
    EXPECT_NEAR(static_cast<double>(most.pushes.calls.size()), rate * 5 * 3 / 4, 5);
    EXPECT_NEAR(static_cast<double>(least.pushes.calls.size()), rate * 5 / 4, 5);
    EXPECT_LE(most_within(seconds{1}), rate + burst);
}

TEST_F(rate_shares, a_rebalance_brings_no_burst_with_it)
{
    auto& first = start_sharing();
    auto& second = start_sharing();
    for (std::int32_t partition = 0; partition < 4; ++partition)
        hold(first, partition);
    time.advance(seconds{2});
    for (int round = 0; round < 6; ++round) { // all partitions to and fro
        auto& from = round % 2 == 0 ? first : second;
        auto& to = round % 2 == 0 ? second : first;
        from.source.revoke(held[&from]);
        held[&from].clear();
        time.advance(milliseconds{100});
        for (std::int32_t partition = 0; partition < 4; ++partition)
            hold(to, partition);
        time.advance(milliseconds{700});
    }
    EXPECT_LE(most_within(seconds{1}), rate + burst);
    EXPECT_GE(sends().size(), 500U);
}

TEST_F(rate_shares, a_restart_brings_no_burst_with_it)
{
    for (int starts = 0; starts < 5; ++starts) {
        auto& worker = start_sharing();
        for (std::int32_t partition = 0; partition < 4; ++partition)
            hold(worker, partition);
        time.advance(milliseconds{150});
        worker.crash();
    }
    EXPECT_LE(most_within(seconds{1}), rate + burst);
}

TEST_F(rate_shares, only_topics_that_may_carry_the_app_count)
{
    options.topic_apps["push.bulk"] = {"game"};
    auto& only = start([](auto& each) { each.courier->know_partitions({{"push.jobs", 2}, {"push.bulk", 10}}); });
    hold(only, 0);
    time.settle();
    EXPECT_EQ(only.metrics["wxcourier_rate_limit"].with({"shop"}).value(), rate / 2);
}

TEST_F(rate_shares, a_topic_that_has_grown_is_noticed)
{
    auto& only = start_sharing(2);
    hold(only, 3);
    time.settle();
    EXPECT_EQ(only.metrics["wxcourier_rate_limit"].with({"shop"}).value(), rate / 4);
}

} // namespace
} // namespace wxcourier::test
