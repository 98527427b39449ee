// SPDX-License-Identifier: Apache-2.0
#include "dashboard/status_board.hpp"
#include "statuses.hpp"

#include <gtest/gtest.h>

namespace wxcourier::dashboard {
namespace {

using dashboard_test::deferred_at;
using dashboard_test::noon;
using dashboard_test::status_at;
using domain::job_state;

class StatusBoard : public testing::Test {
protected:
    void add(const domain::status_record& status, arrival how = arrival::live)
    {
        board.add(status, status.finished_at.value_or(noon), noon, how);
    }
    board_view look(const std::string& query) { return board.look(*parse_query(query), noon); }
    static std::uint64_t of(const board_view& view, job_state state)
    {
        return view.totals[static_cast<std::size_t>(state)];
    }
    static std::uint64_t over_time(const board_view& view, job_state state)
    {
        std::uint64_t sum = 0;
        for (const auto each : view.over_time[static_cast<std::size_t>(state)])
            sum += each;
        return sum;
    }

    status_board board;
};

TEST_F(StatusBoard, CountsEveryStatusOnce)
{
    for (int minute = 0; minute < 3000; ++minute)
        add(status_at(noon - std::chrono::minutes{minute} - seconds{1}),
            minute % 2 == 0 ? arrival::live : arrival::past);
    EXPECT_EQ(of(look("range=all"), job_state::sent), 3000U);
    EXPECT_EQ(over_time(look("range=all"), job_state::sent), 3000U);
    EXPECT_EQ(of(look("range=5m"), job_state::sent), 5U);
    EXPECT_EQ(of(look("range=1h"), job_state::sent), 60U);
    EXPECT_EQ(over_time(look("range=1h"), job_state::sent), 60U);
    EXPECT_EQ(of(look("range=24h"), job_state::sent), 1440U);
    EXPECT_EQ(look("range=24h").read, 3000U);
}

TEST_F(StatusBoard, TheRangeHoldsWhatWasAskedForInWholeColumns)
{
    add(status_at(noon));
    for (const auto* range : {"range=5m", "range=15m", "range=1h", "range=6h", "range=24h", "range=7d"}) {
        const auto view = look(range);
        EXPECT_LE(view.columns, 240U) << range;
        EXPECT_GT(view.columns, 100U) << range;
        EXPECT_EQ(view.to - view.from, view.step * view.columns) << range;
        EXPECT_GT(view.to, noon) << range << ": the present belongs to it";
        EXPECT_EQ(of(view, job_state::sent), 1U) << range;
    }
    const auto from = noon - std::chrono::minutes{10};
    const auto fixed = look("from=" + std::to_string(from.time_since_epoch().count()) +
                            "&to=" + std::to_string(noon.time_since_epoch().count()));
    EXPECT_LE(fixed.from, from);
    EXPECT_EQ(fixed.to, noon) << "noon is a whole column";
    EXPECT_EQ(of(fixed, job_state::sent), 0U);
}

TEST_F(StatusBoard, FiltersApplyToEveryFigure)
{
    add(status_at(noon));
    auto other = status_at(noon, job_state::failed, "invalid_data");
    other.app = "mini";
    other.kind = "miniprogram.subscribe";
    add(other);
    const auto mini = look("app=mini");
    EXPECT_EQ(of(mini, job_state::sent), 0U);
    EXPECT_EQ(of(mini, job_state::failed), 1U);
    EXPECT_EQ(mini.groups.size(), 1U);
    EXPECT_EQ(mini.recent.size(), 1U);
    EXPECT_EQ(mini.apps, (std::vector<std::string>{"mini", "shop"})) << "what may be chosen does not shrink";
    EXPECT_EQ(look("state=sent").failures.size(), 0U);
    EXPECT_EQ(of(look("kind=official.template"), job_state::sent), 1U);
}

TEST_F(StatusBoard, FailuresAreGroupedByReasonAndCodeWithExamples)
{
    for (int number = 0; number < 5; ++number) {
        auto status = status_at(noon - seconds{number}, job_state::failed, "invalid_template");
        status.errcode = 40037;
        status.app = number < 4 ? "shop" : "mini";
        status.id = "order-" + std::to_string(number);
        add(status);
    }
    add(status_at(noon, job_state::rejected, "invalid_job"));
    const auto view = look("range=5m");
    ASSERT_EQ(view.failures.size(), 2U);
    const auto& most = view.failures[0];
    EXPECT_EQ(most.reason, "invalid_template");
    EXPECT_EQ(most.errcode, 40037);
    EXPECT_EQ(most.count, 5U);
    EXPECT_EQ(most.examples.size(), 3U);
    EXPECT_EQ(most.apps, (std::vector<std::pair<std::string, std::uint64_t>>{{"shop", 4}, {"mini", 1}}));
    EXPECT_LE(most.first, noon - seconds{4});
    EXPECT_GT(most.first, noon - seconds{8});
    EXPECT_LE(most.last, noon);
}

TEST_F(StatusBoard, PercentilesAreOfWhatWasSent)
{
    for (int number = 1; number <= 100; ++number)
        add(status_at(noon, job_state::sent, {}, milliseconds{number * 10}));
    add(status_at(noon, job_state::expired, "too_old", std::chrono::hours{50}));
    const auto view = look("range=5m");
    EXPECT_NEAR(static_cast<double>(view.latency.p50), 500, 20);
    EXPECT_NEAR(static_cast<double>(view.latency.p99), 990, 40);
    EXPECT_EQ(view.latency.count, 100U);
    EXPECT_NEAR(static_cast<double>(look("state=expired").latency.p50), 180e6, 6e6);
}

TEST_F(StatusBoard, WhatWaitsIsGroupedUntilItEnds)
{
    for (std::int64_t offset = 0; offset < 4; ++offset)
        add(deferred_at(noon - seconds{300}, noon + seconds{100 * (offset - 1)}, offset));
    auto end = status_at(noon);
    end.source.offset = 3;
    add(end);
    const auto view = look("range=5m");
    ASSERT_EQ(view.waiting.size(), 1U);
    EXPECT_EQ(view.waiting[0].count, 3U);
    EXPECT_EQ(view.waiting[0].overdue, 1U);
    EXPECT_EQ(view.waiting[0].next, noon - seconds{100});
    EXPECT_EQ(view.waiting[0].last, noon + seconds{100});
    EXPECT_EQ(look("app=another").waiting.size(), 0U);
}

TEST_F(StatusBoard, AJobsRecordsComeInOrder)
{
    add(status_at(noon), arrival::live);
    add(deferred_at(noon - seconds{90}, noon), arrival::past);
    auto other = status_at(noon);
    other.id = "order-2";
    add(other);
    const auto found = board.records_of("order-1", 10);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_LE(found[0]->at(), found[1]->at());
    EXPECT_TRUE(board.records_of("order-3", 10).empty());
    EXPECT_EQ(board.records_of("order-1", 1).size(), 1U);
}

TEST_F(StatusBoard, TimesNobodyCanMeanDoNoHarm)
{
    add(status_at(noon + std::chrono::days{400}));
    add(status_at(wall_time{} + seconds{5}));
    const auto view = look("range=all");
    EXPECT_EQ(of(view, job_state::sent), 2U);
    EXPECT_LE(view.columns, 240U);
    EXPECT_GT(view.from, noon - std::chrono::days{100}) << "one odd time does not stretch the axis";
    EXPECT_EQ(of(look("range=5m"), job_state::sent), 1U) << "the future counts as now";
}

TEST_F(StatusBoard, RecordsAreListedLatestFirstSentOnesOnRequest)
{
    add(status_at(noon - seconds{2}, job_state::failed, "invalid_data"));
    add(status_at(noon - seconds{1}));
    ASSERT_EQ(look("range=5m").recent.size(), 1U);
    const auto all = look("range=5m&list=all").recent;
    ASSERT_EQ(all.size(), 2U);
    EXPECT_GT(all[0]->at(), all[1]->at());
    EXPECT_EQ(look("range=5m&state=sent").recent.size(), 1U);
}

TEST_F(StatusBoard, WorkersAreRemembered)
{
    for (int number = 0; number < 300; ++number) {
        auto status = status_at(noon - seconds{300 - number});
        status.worker = "worker-" + std::to_string(number);
        add(status);
    }
    const auto view = look("");
    ASSERT_EQ(view.workers.size(), 50U);
    EXPECT_EQ(view.workers[0].name, "worker-299") << "the one that reported last";
}

} // namespace
} // namespace wxcourier::dashboard
