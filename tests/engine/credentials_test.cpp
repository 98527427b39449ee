// SPDX-License-Identifier: Apache-2.0
// Access tokens: fetched before they are needed, renewed once for all, and the trouble of one app stays its own.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using domain::token_call;
using domain::token_health;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

class credentials : public courier_test {
protected:
    void append_jobs(int count, const std::string& app = "shop")
    {
        for (int i = 0; i < count; ++i)
            append(job_text(app + std::to_string(i)).app(app));
    }
    std::size_t sent(replica& worker, const std::string& app)
    {
        std::size_t count = 0;
        for (const auto& each : worker.publisher.statuses(job_state::sent))
            count += each.app == app ? 1 : 0;
        return count;
    }
};

TEST_F(credentials, every_app_gets_a_token_at_the_start)
{
    auto& worker = start();
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 1U);
    EXPECT_EQ(worker.tokens.calls_for("wx-game"), 1U);
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
}

TEST_F(credentials, nothing_is_sent_without_a_token)
{
    append_jobs(3);
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {no_token(std::nullopt, "connection refused"), token("late")});
    });
    worker.source.assign(0);
    time.settle();
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::missing);
    time.advance(seconds{2});
    EXPECT_EQ(sent(worker, "shop"), 3U);
    EXPECT_EQ(worker.pushes.calls.at(0).token, "late");
}

TEST_F(credentials, a_token_is_renewed_before_it_expires_and_no_send_sees_the_gap)
{
    auto& worker = start([](auto& each) { each.tokens.reply_to("wx-shop", {token("first"), token("second")}); });
    worker.source.assign(0);
    worker.tokens.latency = seconds{3};
    for (int minute = 0; minute < 130; ++minute) {
        append(job_text("j" + std::to_string(minute)));
        worker.source.tell_of_records();
        time.advance(minutes{1});
        EXPECT_EQ(sent(worker, "shop"), static_cast<std::size_t>(minute) + 1);
    }
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U);
    EXPECT_EQ(worker.pushes.calls.front().token, "first");
    EXPECT_EQ(worker.pushes.calls.back().token, "second");
}

TEST_F(credentials, two_thousand_dead_tokens_at_once_mean_one_renewal)
{
    options.apps[0].limits.concurrency = 2000;
    append_jobs(2000);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    ASSERT_EQ(worker.pushes.pending(), 2000U);
    worker.tokens.latency = milliseconds{300};
    worker.pushes.answer_all(answer(40001, "invalid credential"));
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::renewing);
    EXPECT_EQ(worker.pushes.pending(), 0U) << "nothing is sent until the new one is here";
    worker.pushes.hold = false;
    time.advance(seconds{5});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U);
    EXPECT_EQ(worker.tokens.calls_for("wx-game"), 1U);
    EXPECT_EQ(sent(worker, "shop"), 2000U);
    EXPECT_EQ(worker.publisher.statuses(job_state::sent).at(0).attempts, 2);
}

TEST_F(credentials, refused_for_a_minute_end_no_job)
{
    const std::vector<domain::push_reply> refusals{answer(40001), answer(42001), answer(40014),
                                                   answer(41001), http(401),     http(403)};
    for (const auto& refusal : refusals) {
        const auto what =
            "errcode " + std::to_string(refusal.errcode.value_or(0)) + ", HTTP " + std::to_string(refusal.http_status);
        auto& worker = start();
        bool refusing = true;
        worker.pushes.otherwise = [&refusing, &refusal](const auto&) { return refusing ? refusal : accepted(); };
        worker.source.assign(0);
        for (int second = 0; second < 60; ++second) {
            append_jobs(5);
            worker.source.tell_of_records();
            time.advance(seconds{1});
        }
        EXPECT_GE(worker.pushes.calls.size(), 1U) << what;
        EXPECT_LE(worker.pushes.calls.size(), 3000U) << "tried again and again, not hammered: " << what;
        EXPECT_THAT(worker.publisher.on("push.status"),
                    Each(Field(&engine::outbound_record::value, Optional(HasSubstr("deferred")))))
            << what;
        refusing = false;
        time.advance(minutes{15});
        EXPECT_EQ(sent(worker, "shop"), 300U) << what;
        EXPECT_THAT(worker.publisher.on("push.dead"), IsEmpty()) << what;
        worker.crash();
    }
}

TEST_F(credentials, late_answers_about_an_old_token_do_not_kill_the_new_one)
{
    append_jobs(4);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    worker.pushes.answer("to-shop0", answer(42001));
    worker.pushes.answer("to-shop0"); // with the new token
    for (const auto* const openid : {"to-shop1", "to-shop2", "to-shop3"})
        worker.pushes.answer(openid, answer(40001));
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U);
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_EQ(sent(worker, "shop"), 4U);
}

TEST_F(credentials, a_second_failure_with_a_fresh_token_halts_the_app_and_no_other)
{
    append_jobs(10, "shop");
    append_jobs(10, "game");
    auto& worker = start();
    worker.pushes.otherwise = [](const auto& call) {
        return call.touser.starts_with("to-shop") ? answer(40001, "invalid credential") : accepted();
    };
    worker.source.assign(0);
    time.advance(seconds{20});
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::halted);
    EXPECT_EQ(worker.courier->credential_state(1).health, token_health::good);
    EXPECT_EQ(sent(worker, "game"), 10U);
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U);
    EXPECT_LE(worker.pushes.calls.size(), 30U) << "no job is sent over and over";
    worker.pushes.otherwise = [](const auto&) { return accepted(); };
    time.advance(minutes{15});
    EXPECT_EQ(sent(worker, "shop"), 10U) << "and it recovers by itself";
    EXPECT_EQ(committed(), 20);
}

TEST_F(credentials, a_wrong_secret_halts_its_app_with_the_reason_and_no_job_ends)
{
    append_jobs(3, "shop");
    append_jobs(3, "game");
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop",
                             std::vector<engine::token_reply>(12, no_token(40125, "invalid appsecret rid: 1-2-3")));
    });
    worker.source.assign(0);
    time.advance(hours{1});
    const auto state = worker.courier->credential_state(0);
    EXPECT_EQ(state.health, token_health::halted);
    EXPECT_EQ(state.reason, "wrong_secret");
    EXPECT_EQ(state.detail, "invalid appsecret rid: 1-2-3");
    EXPECT_EQ(sent(worker, "game"), 3U);
    EXPECT_EQ(sent(worker, "shop"), 0U);
    EXPECT_LE(worker.tokens.calls_for("wx-shop"), 13U) << "asked slowly";
    EXPECT_EQ(worker.metrics["wxcourier_app_halted"].with({"shop", "wrong_secret"}).value(), 1);
    time.advance(hours{2});
    EXPECT_EQ(sent(worker, "shop"), 3U) << "once the secret is right";
}

TEST_F(credentials, time_without_a_token_does_not_count_for_give_up_after)
{
    options.delivery.give_up_after = minutes{10};
    append_jobs(1);
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("first")});
        each.tokens.reply_to("wx-shop", std::vector<engine::token_reply>(10, no_token(40125)));
        each.pushes.reply_to("to-shop0", {answer(40001), answer(-1)});
    });
    worker.source.assign(0);
    time.advance(hours{3});
    EXPECT_EQ(sent(worker, "shop"), 1U);
}

TEST_F(credentials, an_account_that_is_refused_halts_and_comes_back)
{
    append_jobs(5, "shop");
    append_jobs(5, "game");
    bool frozen = true;
    auto& worker = start();
    worker.pushes.otherwise = [&frozen](const auto& call) {
        return frozen && call.touser.starts_with("to-shop") ? answer(50007, "account frozen") : accepted();
    };
    worker.source.assign(0);
    time.advance(minutes{20});
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::halted);
    EXPECT_EQ(worker.courier->credential_state(0).detail, "account frozen");
    EXPECT_EQ(sent(worker, "game"), 5U);
    frozen = false;
    time.advance(minutes{15});
    EXPECT_EQ(sent(worker, "shop"), 5U);
}

TEST_F(credentials, a_dead_stable_token_given_again_is_forced)
{
    append_jobs(1);
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("same"), token("same"), token("fresh")});
        each.pushes.reply_to("to-shop0", {answer(40001)});
    });
    worker.source.assign(0);
    time.advance(seconds{1});
    std::vector<token_call> how;
    for (const auto& call : worker.tokens.calls)
        if (call.appid == "wx-shop")
            how.push_back(call.how);
    EXPECT_THAT(how, ElementsAre(token_call::stable, token_call::stable, token_call::stable_forced));
    EXPECT_EQ(sent(worker, "shop"), 1U);
    EXPECT_EQ(worker.pushes.calls.back().token, "fresh");
}

TEST_F(credentials, an_expired_token_is_not_sent_with)
{
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("first")});
        each.tokens.reply_to("wx-shop", std::vector<engine::token_reply>(200, no_token(std::nullopt)));
    });
    worker.source.assign(0);
    time.advance(hours{2} - minutes{1});
    append(job_text("before"));
    worker.source.tell_of_records();
    time.advance(seconds{30});
    EXPECT_EQ(sent(worker, "shop"), 1U) << "what we have still works";
    time.advance(minutes{1});
    append(job_text("after"));
    worker.source.tell_of_records();
    time.advance(minutes{5});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
}

TEST_F(credentials, a_used_up_token_quota_keeps_the_old_token_in_use)
{
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("first", seconds{1200})});
        each.tokens.reply_to("wx-shop",
                             std::vector<engine::token_reply>(50, no_token(45009, "reach max api daily quota")));
    });
    worker.source.assign(0);
    time.advance(seconds{1100});
    ASSERT_EQ(worker.courier->credential_state(0).reason, "token_quota_exhausted");
    append_jobs(3);
    worker.source.tell_of_records();
    time.advance(seconds{10});
    EXPECT_EQ(sent(worker, "shop"), 3U);
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U) << "asked hourly";
}

TEST_F(credentials, a_frozen_secret_and_a_confirmation_are_waited_for_slowly)
{
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", std::vector<engine::token_reply>(50, no_token(40243, "secret frozen")));
        each.tokens.reply_to("wx-game", std::vector<engine::token_reply>(50, no_token(89503, "confirm")));
    });
    time.advance(minutes{30});
    EXPECT_LE(worker.tokens.calls_for("wx-shop"), 8U);
    EXPECT_LE(worker.tokens.calls_for("wx-game"), 4U);
}

TEST_F(credentials, a_wall_clock_that_jumps_changes_nothing)
{
    auto& worker = start([](auto& each) { each.tokens.reply_to("wx-shop", {token("first", seconds{1200})}); });
    worker.source.assign(0);
    for (const auto jump : {hours{1}, hours{-2}, hours{24}}) {
        time.adjust_wall(jump);
        append_jobs(1);
        worker.source.tell_of_records();
        time.advance(seconds{60});
        EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
        EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 1U);
    }
    EXPECT_EQ(worker.courier->credential_state(0).expires_in, seconds{1200 - 180});
    time.adjust_wall(hours{-23});
    time.advance(seconds{1200 - 180 - 290});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 2U) << "renewed by the steady clock";
}

} // namespace
} // namespace wxcourier::test
