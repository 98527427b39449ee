// SPDX-License-Identifier: Apache-2.0
#include "domain/operator_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace wxcourier::domain {
namespace {

using action = operator_change::action;

const operator_mark alice{"alice", "worker-1", wall_time{} + seconds{1}};
const operator_mark bob{"bob", "worker-2", wall_time{} + seconds{2}};

operator_change pause(pause_target target, operator_mark mark = alice)
{
    return {action::pause, std::move(target), {}, std::move(mark)};
}

operator_change resume(pause_target target, operator_mark mark = alice)
{
    return {action::resume, std::move(target), {}, std::move(mark)};
}

operator_change rate(std::string app, rate_override limits)
{
    return {action::rate, {std::move(app), {}, {}}, limits, alice};
}

const pause_target all{};
const pause_target shop{"shop", {}, {}};
const pause_target game{"game", {}, {}};

TEST(OperatorState, APauseCoversWhatItNames)
{
    operator_state state;
    EXPECT_FALSE(state.pauses_app("shop"));
    EXPECT_TRUE(state.apply(pause(shop), 0));
    EXPECT_TRUE(state.pauses_app("shop"));
    EXPECT_FALSE(state.pauses_app("game"));

    EXPECT_TRUE(state.apply(pause({{}, "official.custom", {}}), 1));
    EXPECT_TRUE(state.pauses_kind("game", "official.custom"));
    EXPECT_FALSE(state.pauses_kind("game", "official.template"));

    EXPECT_TRUE(state.apply(pause({"game", {}, "TM1"}), 2));
    EXPECT_TRUE(state.pauses_template("game", "TM1"));
    EXPECT_FALSE(state.pauses_template("shop", "TM1"));
    EXPECT_FALSE(state.pauses_template("game", ""));
    EXPECT_TRUE(state.pauses_some_template("game"));
    EXPECT_FALSE(state.pauses_some_template("shop"));
}

TEST(OperatorState, APauseOfAllCoversEveryApp)
{
    operator_state state;
    state.apply(pause(all), 0);
    EXPECT_TRUE(state.pauses_app("shop"));
    EXPECT_TRUE(state.pauses_app("an app of tomorrow"));
}

TEST(OperatorState, EachPauseStandsOnItsOwn)
{
    operator_state state;
    state.apply(pause(shop), 0);
    state.apply(pause(all), 1);
    state.apply(resume(all), 2);
    EXPECT_TRUE(state.pauses_app("shop")) << "somebody had a reason to pause it";
    EXPECT_FALSE(state.pauses_app("game"));
}

TEST(OperatorState, SayingItAgainChangesNothingAndKeepsWhoSaidItFirst)
{
    operator_state state;
    state.apply(pause(shop, alice), 0);
    EXPECT_FALSE(state.would_change(pause(shop, bob)));
    EXPECT_FALSE(state.apply(pause(shop, bob), 1));
    ASSERT_EQ(state.pauses().size(), 1U);
    EXPECT_EQ(state.pauses().front().mark, alice);
    EXPECT_FALSE(state.apply(resume(game), 2));
}

TEST(OperatorState, ARateHoldsInsteadOfTheConfigurationsUntilItIsReset)
{
    operator_state state;
    EXPECT_TRUE(state.rate_of("shop").empty());
    EXPECT_TRUE(state.apply(rate("shop", {50, std::nullopt, 8}), 0));
    EXPECT_EQ(state.rate_of("shop"), (rate_override{50, std::nullopt, 8}));
    EXPECT_FALSE(state.apply(rate("shop", {50, std::nullopt, 8}), 1));
    EXPECT_TRUE(state.apply(rate("shop", {}), 2));
    EXPECT_TRUE(state.rate_of("shop").empty());
    EXPECT_TRUE(state.rates().empty());
}

TEST(OperatorState, ThereIsALimitAndResumingMakesRoom)
{
    operator_state state;
    for (std::size_t i = 0; i < operator_state::most_pauses; ++i)
        EXPECT_TRUE(state.apply(pause({{}, {}, "TM" + std::to_string(i)}), static_cast<std::int64_t>(i)));
    EXPECT_FALSE(state.has_room_for(pause(shop)));
    EXPECT_FALSE(state.apply(pause(shop), 2'000));
    EXPECT_FALSE(state.pauses_app("shop"));
    EXPECT_TRUE(state.has_room_for(pause({{}, {}, "TM7"}))) << "it is paused already";
    EXPECT_TRUE(state.apply(resume({{}, {}, "TM7"}), 2'001));
    EXPECT_TRUE(state.apply(pause(shop), 2'002));
}

TEST(OperatorState, ASnapshotTellsANewcomerAll)
{
    operator_state old;
    old.apply(pause(shop), 3);
    old.apply(rate("game", {5, 1, std::nullopt}), 4);
    operator_state newcomer;
    EXPECT_TRUE(newcomer.merge(old.snapshot(9)));
    EXPECT_TRUE(newcomer.pauses_app("shop"));
    EXPECT_EQ(newcomer.rate_of("game"), (rate_override{5, 1, std::nullopt}));
    EXPECT_FALSE(newcomer.merge(old.snapshot(10))) << "nothing new";
}

TEST(OperatorState, ASnapshotDoesNotTakeBackWhatItsWriterHadNotRead)
{
    operator_state leader;
    leader.apply(pause(shop), 3);
    const auto snapshot = leader.snapshot(4); // on its way to the log …
    operator_state reader;
    reader.apply(pause(shop), 3);
    reader.apply(resume(shop), 5); // … where these came before it
    reader.apply(pause(game), 6);
    EXPECT_FALSE(reader.merge(snapshot));
    EXPECT_FALSE(reader.pauses_app("shop"));
    EXPECT_TRUE(reader.pauses_app("game"));
}

TEST(OperatorState, ASnapshotEndsWhatItDoesNotName)
{
    operator_state reader;
    reader.apply(pause(shop), 3); // it missed the resume at 5
    EXPECT_TRUE(reader.merge(operator_snapshot{7, {}, {}}));
    EXPECT_FALSE(reader.pauses_app("shop"));
}

/// Readers that begin anywhere, with snapshots by leaders that lag anywhere, agree with one who has read all.
TEST(OperatorState, WhoeverBeginsLaterEndsWithTheSame)
{
    std::mt19937 random(7);
    const std::vector<pause_target> targets{all, shop, game, {{}, "k", {}}, {"shop", {}, "t"}};
    for (int round = 0; round < 200; ++round) {
        operator_state first;
        operator_state leader; // lags behind
        operator_state late;
        std::vector<operator_change> log;
        std::size_t leader_read = 0;
        const std::size_t begins = random() % 40;
        bool knows = begins == 0;
        for (std::int64_t offset = 0; offset < 60; ++offset) {
            const bool snapshots = random() % 5 == 0 || offset == 59;
            if (snapshots) {
                const auto snapshot = leader.snapshot(static_cast<std::int64_t>(leader_read) - 1);
                first.merge(snapshot);
                if (static_cast<std::size_t>(offset) >= begins) {
                    late.merge(snapshot);
                    knows = knows || snapshot.through + 1 >= static_cast<std::int64_t>(begins);
                }
                log.push_back(resume({"nobody", {}, {}})); // stands for the snapshot
            } else {
                const auto& target = targets[random() % targets.size()];
                log.push_back(random() % 2 == 0 ? pause(target) : resume(target));
                first.apply(log.back(), offset);
                if (static_cast<std::size_t>(offset) >= begins)
                    late.apply(log.back(), offset);
            }
            for (auto reads = random() % 3; reads > 0 && leader_read < log.size(); --reads, ++leader_read)
                leader.apply(log[leader_read], static_cast<std::int64_t>(leader_read));
            if (!knows)
                continue;
            // A snapshot that reaches to where a reader began, and the records since, are all there is to know.
            for (const auto& each : {"shop", "game"})
                EXPECT_EQ(late.pauses_app(each), first.pauses_app(each)) << round << ' ' << offset << ' ' << each;
        }
    }
}

TEST(OperatorState, ATargetIsSaidInWords)
{
    EXPECT_EQ(describe(all), "all");
    EXPECT_EQ(describe(shop), "app shop");
    EXPECT_EQ(describe({{}, "official.custom", {}}), "kind official.custom");
    EXPECT_EQ(describe({"shop", {}, "TM1"}), "template TM1 of app shop");
}

TEST(OperatorState, ARenewedTokenIsNoState)
{
    operator_state state;
    const operator_change renewed{operator_change::action::renewed, shop, {}, {}};
    EXPECT_FALSE(state.would_change(renewed));
    EXPECT_FALSE(state.apply(renewed, 7));
    EXPECT_TRUE(state.snapshot(7).pauses.empty());
    EXPECT_TRUE(state.snapshot(7).rates.empty());
}

} // namespace
} // namespace wxcourier::domain
