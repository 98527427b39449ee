// SPDX-License-Identifier: Apache-2.0
// Whom a message is for: one request at a time, recipients that WeChat holds back, and the app's own limit; and who
// goes first among priorities and apps.
#include "tests/support/courier_fixture.hpp"

#include <random>

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::hours;
using std::chrono::minutes;
using testing::SizeIs;

class recipients : public courier_test {
protected:
    /// When messages to that recipient were sent, in ms after the first one.
    static std::vector<std::int64_t> times(const replica& worker, const std::string& touser)
    {
        std::vector<std::int64_t> at;
        std::optional<steady_time> first;
        for (const auto& call : worker.pushes.calls)
            if (call.touser == touser) {
                first = first.value_or(call.at);
                at.push_back(std::chrono::duration_cast<milliseconds>(call.at - *first).count());
            }
        return at;
    }
};

TEST_F(recipients, never_get_two_requests_of_an_app_at_a_time)
{
    std::mt19937 random(5);
    for (int i = 0; i < 400; ++i)
        append(job_text("j" + std::to_string(i))
                   .kind(i % 3 == 0 ? "official.custom" : "official.template")
                   .to("o" + std::to_string(i % 13))
                   .with("priority", i % 5 == 0 ? R"("high")" : R"("normal")"));
    append(job_text("many").recipients(13));
    auto& worker = start();
    std::map<std::string, steady_time> busy_until;
    std::size_t overlaps = 0;
    worker.pushes.latency = [&](const auto& call) {
        auto& until = busy_until[call.touser];
        overlaps += call.at < until ? 1 : 0;
        const milliseconds lasts{1 + random() % 200};
        until = call.at + lasts;
        return lasts;
    };
    worker.pushes.otherwise = [&random](const auto&) { return random() % 10 == 0 ? answer(-1) : accepted(); };
    worker.source.assign(0);
    time.advance(minutes{5});
    EXPECT_EQ(overlaps, 0U);
    EXPECT_GE(worker.pushes.most_at_once, 12U) << "others do not wait for them";
    EXPECT_EQ(committed(), 401);
}

TEST_F(recipients, whom_wechat_holds_back_waits_with_all_messages_and_nobody_else_does)
{
    for (const int code : {43117, 40241, 43108}) {
        const auto name = std::to_string(code);
        append(job_text("a" + name).to("held-" + name));
        append(job_text("b" + name).to("held-" + name).kind("official.custom"));
        append(job_text("c" + name).to("held-" + name).with("priority", R"("high")"));
        append(job_text("d" + name).to("free-" + name));
    }
    auto& worker = start([](auto& each) {
        each.pushes.reply_to("held-43117", {answer(43117)});
        each.pushes.reply_to("held-40241", {answer(40241)});
        each.pushes.reply_to("held-43108", {answer(43108)});
    });
    worker.source.assign(0);
    time.advance(milliseconds{50});
    for (const auto* const code : {"43117", "40241", "43108"})
        EXPECT_EQ(worker.pushes.sends_to(std::string("free-") + code), 1U);
    time.advance(minutes{5});
    for (const auto* const code : {"43117", "40241"}) {
        const auto sent = times(worker, std::string("held-") + code);
        ASSERT_THAT(sent, SizeIs(4)) << code;
        EXPECT_GE(sent[1], 60'000) << code << ": not the next one to the same recipient either";
        EXPECT_LE(sent[3], 61'000) << code;
    }
    EXPECT_THAT(times(worker, "held-43108"), SizeIs(4)) << "several at one time: a short wait will do";
    EXPECT_LT(times(worker, "held-43108")[3], 2'000);
    EXPECT_EQ(committed(), 12);
}

TEST_F(recipients, get_no_more_than_their_app_allows_in_any_window)
{
    options.apps[0].limits.per_recipient = {3, minutes{10}};
    for (int i = 0; i < 8; ++i)
        append(job_text("j" + std::to_string(i)).to("anna").kind("official.custom"));
    append(job_text("other").to("bert"));
    append(job_text("game").app("game").to("anton"));
    auto& worker = start([](auto& each) {
        each.pushes.latency = [](const auto&) { return milliseconds{100}; };
        // Neither of them arrives: they do not count.
        each.pushes.reply_to("anna", {answer(-1), no_connection()});
    });
    worker.source.assign(0);
    time.advance(seconds{30});
    EXPECT_EQ(worker.pushes.sends_to("bert"), 1U);
    EXPECT_EQ(worker.metrics["wxcourier_waiting_for_recipient"].with({"shop"}).value(), 0);
    worker.metrics.refresh();
    EXPECT_GE(worker.metrics["wxcourier_waiting_for_recipient"].with({"shop"}).value(), 4);
    const auto deferred = worker.publisher.statuses(job_state::deferred);
    ASSERT_THAT(deferred, SizeIs(5)) << "10 minutes are worth a status";
    for (const auto& each : deferred) {
        EXPECT_EQ(each.reason, "recipient_limited");
        EXPECT_EQ(each.touser, "anna");
    }
    time.advance(hours{1});
    EXPECT_EQ(committed(), 10);
    std::vector<steady_time> arrived;
    for (const auto& call : worker.pushes.calls)
        if (call.touser == "anna" && call.kind == "official.custom")
            arrived.push_back(call.at);
    ASSERT_THAT(arrived, SizeIs(10));
    arrived.erase(arrived.begin(), arrived.begin() + 2); // the two that did not
    for (std::size_t i = 3; i < arrived.size(); ++i)
        EXPECT_GE(arrived[i] - arrived[i - 3], minutes{10}) << i;
    EXPECT_LT(arrived.back() - arrived.front(), minutes{21}) << "and no longer than it takes";
}

TEST_F(recipients, what_waits_for_one_ends_when_its_time_is_over)
{
    options.apps[0].limits.per_recipient = {1, hours{24}};
    options.max_age = minutes{30};
    append(job_text("j1").to("anna"));
    append(job_text("j2").to("anna"));
    auto& worker = start_with_partition();
    time.advance(hours{1});
    EXPECT_EQ(worker.pushes.sends_to("anna"), 1U);
    ASSERT_THAT(worker.publisher.statuses(job_state::expired), SizeIs(1));
    EXPECT_EQ(committed(), 2);
}

TEST_F(recipients, a_lost_partition_lets_go_of_those_who_wait)
{
    for (int i = 0; i < 5; ++i)
        append(job_text("j" + std::to_string(i)).to("anna"));
    append(job_text("k").to("anna"), 1);
    auto& worker = start();
    worker.pushes.hold = true;
    const auto lost = worker.source.assign(0);
    time.settle();
    worker.source.assign(1);
    time.settle();
    ASSERT_EQ(worker.pushes.pending(), 1U);
    worker.source.lose({lost});
    time.settle();
    worker.pushes.answer_one();
    time.advance(seconds{1});
    ASSERT_EQ(worker.pushes.pending(), 1U);
    worker.pushes.answer_one();
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, SizeIs(2)) << "one of each partition";
    EXPECT_EQ(committed(1), 1);
}

TEST_F(recipients, at_most_once_keeps_to_one_at_a_time_as_well)
{
    options.delivery.at_most_once = true;
    for (int i = 0; i < 20; ++i)
        append(job_text("j" + std::to_string(i)).to("anna"));
    auto& worker = start([](auto& each) { each.pushes.latency = [](const auto&) { return milliseconds{50}; }; });
    worker.source.assign(0);
    time.advance(minutes{1});
    EXPECT_EQ(worker.pushes.most_at_once, 1U);
    EXPECT_EQ(worker.pushes.calls.size(), 20U);
}

class turns : public courier_test {};

TEST_F(turns, a_high_priority_job_overtakes_a_campaign_of_another_call)
{
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 500; ++i)
        append(job_text("j" + std::to_string(i)).kind(i % 2 == 0 ? "official.template" : "official.custom"));
    append(job_text("receipt").kind("official.subscribe").to("payer").with("priority", R"("high")"));
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    ASSERT_EQ(worker.pushes.sends_to("payer"), 1U);
    EXPECT_LE(worker.pushes.calls.size(), 12U);
}

TEST_F(turns, low_priority_jobs_move_all_the_same)
{
    options.apps[0].limits.rate_per_second = 100;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 3000; ++i)
        append(job_text("h" + std::to_string(i)).to("h" + std::to_string(i)).with("priority", R"("high")"));
    for (int i = 0; i < 100; ++i)
        append(job_text("l" + std::to_string(i)).to("l" + std::to_string(i)).with("priority", R"("low")"));
    auto& worker = start_with_partition();
    time.advance(seconds{20});
    const auto low = std::count_if(worker.pushes.calls.begin(), worker.pushes.calls.end(),
                                   [](const auto& call) { return call.touser.starts_with('l'); });
    EXPECT_NEAR(static_cast<double>(low), 2000.0 / 64, 3);
}

} // namespace
} // namespace wxcourier::test
