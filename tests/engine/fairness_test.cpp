// SPDX-License-Identifier: Apache-2.0
// Who goes first where there is not enough for all: apps by their weights, an app's messages by their priorities.
#include "tests/support/courier_fixture.hpp"

#include <algorithm>
#include <string>

namespace wxcourier::test {
namespace {

class fairness : public courier_test {
protected:
    void append_jobs(const std::string& app, const std::string& prefix, int count,
                     const std::string& priority = "normal")
    {
        for (int i = 0; i < count; ++i)
            append(job_text(prefix + std::to_string(i)).app(app).with("priority", '"' + priority + '"'));
    }

    /// Of the calls from `first` on, as many as `count`: how many are for ids with that prefix.
    static std::ptrdiff_t calls_of(const replica& worker, const std::string& prefix, std::size_t first,
                                   std::size_t count)
    {
        const auto& calls = worker.pushes.calls;
        const auto begin = calls.begin() + static_cast<std::ptrdiff_t>(std::min(first, calls.size()));
        const auto end = calls.begin() + static_cast<std::ptrdiff_t>(std::min(first + count, calls.size()));
        return std::count_if(begin, end,
                             [&prefix](const auto& call) { return call.touser.starts_with("to-" + prefix); });
    }
};

TEST_F(fairness, apps_that_contend_for_the_senders_get_turns_by_their_weights)
{
    // Together they may have 40 messages sent and not committed, and four statuses are acknowledged every 50 ms: that
    // is what they share. (Each by itself may have ten requests under way, which is never reached.)
    for (auto& app : options.apps)
        app.limits.concurrency = 10;
    options.apps[1].limits.weight = 3;
    for (int i = 0; i < 1500; ++i) {
        append_jobs("shop", "s" + std::to_string(i) + "-", 1);
        append_jobs("game", "g" + std::to_string(i) + "-", 1);
    }
    auto& worker = start([](replica& each) { each.publisher.hold = true; });
    worker.source.assign(0);
    for (int i = 0; i < 200; ++i) {
        time.advance(milliseconds{50});
        for (int each = 0; each < 4 && !worker.publisher.waiting.empty(); ++each)
            worker.publisher.acknowledge_one();
    }
    constexpr std::size_t first = 80; // both have begun
    ASSERT_GE(worker.pushes.calls.size(), first + 640);
    EXPECT_LE(worker.pushes.calls.size(), 201U * 4 + 40) << "the senders are what limits";
    const auto shop = calls_of(worker, "s", first, 640);
    const auto game = calls_of(worker, "g", first, 640);
    EXPECT_EQ(shop + game, 640);
    EXPECT_NEAR(static_cast<double>(game) / static_cast<double>(shop), 3, 0.3);
}

TEST_F(fairness, an_apps_priorities_share_its_rate_and_none_starves)
{
    options.apps[0].limits.rate_per_second = 100;
    options.apps[0].limits.burst = 1;
    append_jobs("shop", "low", 1000, "low");
    append_jobs("shop", "normal", 1000);
    append_jobs("shop", "high", 1000, "high");
    auto& worker = start_with_partition();
    time.advance(seconds{8});
    ASSERT_GE(worker.pushes.calls.size(), 704U);
    EXPECT_NEAR(static_cast<double>(calls_of(worker, "high", 64, 640)), 560, 2);
    EXPECT_NEAR(static_cast<double>(calls_of(worker, "normal", 64, 640)), 70, 2);
    EXPECT_NEAR(static_cast<double>(calls_of(worker, "low", 64, 640)), 10, 1);
}

} // namespace
} // namespace wxcourier::test
