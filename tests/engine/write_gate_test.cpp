// SPDX-License-Identifier: Apache-2.0
// The rate holds for what arrives at WeChat, however long it took to open the connections for it.
#include "tests/support/courier_fixture.hpp"

#include <algorithm>

namespace wxcourier::test {
namespace {

using domain::job_state;

constexpr double rate = 100;
constexpr double burst = 20;

class write_gate : public courier_test {
protected:
    write_gate()
    {
        options.apps[0].limits.rate_per_second = rate;
        options.apps[0].limits.burst = burst;
        options.apps[0].limits.concurrency = 1000;
    }

    void append_jobs(int count)
    {
        for (int i = 0; i < count; ++i)
            append(job_text("j" + std::to_string(i)));
    }

    /// The most requests that were written in any window of that length.
    [[nodiscard]] static std::size_t most_within(const replica& worker, steady_duration window)
    {
        std::size_t most = 0;
        std::size_t first = 0;
        const auto& calls = worker.pushes.calls;
        for (std::size_t last = 0; last < calls.size(); ++last) {
            while (calls[last].at - calls[first].at >= window)
                ++first;
            most = std::max(most, last - first + 1);
        }
        return most;
    }
};

TEST_F(write_gate, requests_that_waited_for_connections_arrive_no_faster_than_the_rate)
{
    append_jobs(1500);
    auto& worker = start([this](replica& each) {
        // Everything hangs for three seconds, and then all connections are there at once.
        const auto opened = time.now() + seconds{3};
        each.pushes.connecting = [this, opened](const std::string&) {
            return std::max(steady_duration{0}, opened - time.now());
        };
        each.pushes.latency = [](const auto&) { return milliseconds{50}; };
    });
    worker.source.assign(0);
    time.advance(seconds{3} - milliseconds{1});
    EXPECT_EQ(worker.pushes.calls.size(), 0U);
    time.advance(seconds{11});
    for (const auto window : {milliseconds{10}, milliseconds{100}, milliseconds{1000}, milliseconds{10'000}})
        EXPECT_LE(most_within(worker, window), burst + rate * static_cast<double>(window.count()) / 1000)
            << window.count();
    EXPECT_GE(worker.pushes.calls.size(), 0.97 * rate * 11) << "and all of the rate is used";
}

TEST_F(write_gate, connections_of_every_length_cost_none_of_the_rate)
{
    options.apps[0].limits.burst = 1;
    append_jobs(1500);
    auto& worker = start([](replica& each) {
        int number = 0;
        each.pushes.connecting = [number](const std::string&) mutable { return milliseconds{++number * 7 % 120}; };
    });
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto before = worker.pushes.calls.size();
    time.advance(seconds{10});
    EXPECT_GE(worker.pushes.calls.size() - before, 0.95 * rate * 10);
    EXPECT_LE(most_within(worker, seconds{1}), rate + 1);
    EXPECT_LE(most_within(worker, milliseconds{50}), 6U);
}

TEST_F(write_gate, what_expires_while_its_connection_opens_is_not_sent)
{
    append(job_text("j1").with("expire_at",
                               std::to_string((time.wall_now() + seconds{2}).time_since_epoch() / milliseconds{1})));
    auto& worker =
        start([](replica& each) { each.pushes.connecting = [](const std::string&) { return milliseconds{2500}; }; });
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_EQ(worker.pushes.calls.size(), 0U);
    const auto expired = worker.publisher.statuses(job_state::expired);
    ASSERT_EQ(expired.size(), 1U);
    EXPECT_EQ(committed(), 1);
}

TEST_F(write_gate, a_dead_token_goes_out_with_no_request_that_was_only_connecting)
{
    append(job_text("j1"));
    append(job_text("j2"));
    auto& worker = start([](replica& each) {
        each.pushes.connecting = [](const std::string& touser) { return touser == "to-j2" ? seconds{1} : seconds{0}; };
        each.pushes.reply_to("to-j1", {answer(40001)});
    });
    worker.tokens.latency = seconds{2}; // of the renewal: when j2's connection is there, there is no token
    worker.source.assign(0);
    time.advance(seconds{10});
    ASSERT_EQ(worker.pushes.sends_to("to-j2"), 1U);
    for (const auto& call : worker.pushes.calls)
        EXPECT_TRUE(call.touser != "to-j2" || call.token != "token-1") << call.token;
    EXPECT_EQ(worker.publisher.statuses(job_state::sent).size(), 2U);
    for (const auto& each : worker.publisher.statuses(job_state::sent))
        EXPECT_EQ(each.attempts, each.id == "j1" ? 2 : 1) << "what was not written is no attempt";
}

} // namespace
} // namespace wxcourier::test
