// SPDX-License-Identifier: Apache-2.0
// The engine while WeChat cannot keep up: the pace of a call, and the budget of repeats.
#include "tests/support/courier_fixture.hpp"

#include <algorithm>
#include <string>

namespace wxcourier::test {
namespace {

using namespace std::chrono_literals;

class pace : public courier_test {
protected:
    pace()
    {
        for (auto& app : options.apps) {
            app.limits.rate_per_second = 100;
            app.limits.burst = 10;
        }
    }

    void append_many(int count, const std::string& prefix, const std::string& app = "shop")
    {
        for (int i = 0; i < count; ++i)
            append(job_text(prefix + std::to_string(i)).app(app).to(prefix + std::to_string(i)));
    }

    static double value(replica& from, std::string_view metric, const std::vector<std::string>& labels)
    {
        from.metrics.refresh();
        return from.metrics[metric].with(labels).value();
    }

    static std::ptrdiff_t calls_since(const replica& from, steady_time since)
    {
        return std::count_if(from.pushes.calls.begin(), from.pushes.calls.end(),
                             [since](const auto& call) { return call.at >= since; });
    }
};

TEST_F(pace, goes_down_on_pushback_with_its_reason_and_comes_back)
{
    auto& one = start();
    bool busy = false;
    int number = 0;
    one.pushes.latency = [](const auto&) { return 50ms; };
    one.pushes.otherwise = [&](const auto&) {
        return busy && ++number % 2 == 0 ? answer(-1, "system busy") : accepted();
    };
    append_many(12'000, "a");
    one.source.assign(0);
    time.advance(5s);
    EXPECT_EQ(value(one, "wxcourier_pace", {"shop", "official.template"}), 100);
    EXPECT_EQ(value(one, "wxcourier_pace_reason", {"shop", "official.template", "configured"}), 1);
    busy = true;
    time.advance(10s);
    EXPECT_LT(value(one, "wxcourier_pace", {"shop", "official.template"}), 30);
    EXPECT_EQ(value(one, "wxcourier_pace_reason", {"shop", "official.template", "system_busy"}), 1);
    EXPECT_EQ(value(one, "wxcourier_pace_reason", {"shop", "official.template", "configured"}), 0);
    EXPECT_GE(value(one, "wxcourier_pace_lowered_total", {"shop", "official.template", "system_busy"}), 2);
    const auto before = time.now();
    time.advance(2s);
    EXPECT_LT(calls_since(one, before), 60) << "not 200";
    busy = false;
    time.advance(40s);
    EXPECT_EQ(value(one, "wxcourier_pace", {"shop", "official.template"}), 100);
    EXPECT_EQ(value(one, "wxcourier_pace_reason", {"shop", "official.template", "configured"}), 1);
    const auto after = time.now();
    time.advance(2s);
    EXPECT_GE(calls_since(one, after), 199);
}

TEST_F(pace, is_at_95_percent_of_the_rate_25_s_after_an_outage)
{
    auto& one = start();
    bool down = false;
    one.pushes.latency = [](const auto&) { return 50ms; };
    one.pushes.otherwise = [&down](const auto&) { return down ? no_connection() : accepted(); };
    append_many(20'000, "a");
    one.source.assign(0);
    time.advance(5s);
    down = true;
    time.advance(30s);
    EXPECT_EQ(value(one, "wxcourier_breaker_open", {"shop"}), 1);
    down = false;
    const bool closed = time.advance_until([&] { return value(one, "wxcourier_breaker_open", {"shop"}) == 0; }, 60s);
    ASSERT_TRUE(closed);
    const auto begins = time.now();
    time.advance(2s);
    EXPECT_LE(calls_since(one, begins), 80) << "it begins with about a quarter";
    time.advance(23s);
    const auto later = time.now();
    time.advance(5s);
    EXPECT_GE(calls_since(one, later), 475);
}

TEST_F(pace, of_one_app_is_no_others)
{
    auto& one = start();
    one.pushes.latency = [](const auto&) { return 50ms; };
    one.pushes.otherwise = [](const auto& call) {
        return call.touser.starts_with("a") ? answer(-1, "system busy") : accepted();
    };
    append_many(1000, "a");
    append_many(1000, "b", "game");
    one.source.assign(0);
    time.advance(8s);
    EXPECT_LT(value(one, "wxcourier_pace", {"shop", "official.template"}), 30);
    EXPECT_EQ(value(one, "wxcourier_pace", {"game", "official.template"}), 100);
    const auto done = std::count_if(one.pushes.calls.begin(), one.pushes.calls.end(),
                                    [](const auto& call) { return call.touser.starts_with("b"); });
    EXPECT_GE(done, 800);
}

TEST_F(pace, repeats_are_a_tenth_of_the_requests_while_wechat_is_ill)
{
    auto& one = start();
    bool ill = true;
    int number = 0;
    one.pushes.latency = [](const auto&) { return 20ms; };
    one.pushes.otherwise = [&](const auto&) { return ill && ++number % 2 == 0 ? http(500) : accepted(); };
    append_many(2000, "a");
    one.source.assign(0);
    time.advance(15s);
    std::map<std::string, int> sends;
    for (const auto& call : one.pushes.calls)
        ++sends[call.touser];
    const auto repeats = one.pushes.calls.size() - sends.size();
    EXPECT_GT(one.pushes.calls.size(), 1000U);
    EXPECT_LE(repeats, one.pushes.calls.size() / 10 + 15);
    EXPECT_GT(value(one, "wxcourier_repeats_held", {"shop"}), 200);
    ill = false;
    time.advance(60s);
    EXPECT_EQ(value(one, "wxcourier_repeats_held", {"shop"}), 0);
    EXPECT_EQ(outcomes().size(), 2000U) << "nothing is given up for it";
}

} // namespace
} // namespace wxcourier::test
