// SPDX-License-Identifier: Apache-2.0
// A new AppSecret is taken over while messages are sent, and a wrong one changes nothing.
#include "tests/support/courier_fixture.hpp"

#include <algorithm>

namespace wxcourier::test {
namespace {

using domain::job_state;
using domain::token_health;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::SizeIs;

class secret_rotation : public courier_test {
protected:
    static void offer(replica& worker, const std::string& text)
    {
        worker.courier->tokens().offer_secret(0, secret(text));
    }
    /// The secrets that the token calls of `shop` were made with.
    static std::vector<std::string> used(const replica& worker)
    {
        std::vector<std::string> all;
        for (const auto& call : worker.tokens.calls)
            if (call.appid == "wx-shop")
                all.push_back(call.app_secret);
        return all;
    }
};

TEST_F(secret_rotation, a_new_secret_is_tried_at_once_and_kept)
{
    auto& worker = start([](auto& each) { each.tokens.reply_to("wx-shop", {token("same"), token("same")}); });
    offer(worker, "new");
    time.advance(seconds{1});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret", "new"));
    EXPECT_EQ(worker.courier->tokens().current(0)->generation, 1U) << "the token is still the same";
    time.advance(minutes{125});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret", "new", "new"));
    EXPECT_EQ(worker.metrics["wxcourier_secret_rotations_total"].with({"shop", "accepted"}).value(), 1);
}

TEST_F(secret_rotation, a_secret_that_wechat_refuses_changes_nothing)
{
    append(job_text("before"));
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("first", seconds{1000}), no_token(40125), no_token(40001),
                                         no_token(40125), token("next")});
    });
    worker.source.assign(0);
    offer(worker, "wrong");
    time.advance(seconds{5});
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    time.advance(minutes{12});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret", "wrong", "wrong", "wrong", "shop's secret"))
        << "every ten minutes, and with the renewal, where the old one then gives the token";
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
    EXPECT_EQ(worker.metrics["wxcourier_secret_rotations_total"].with({"shop", "refused"}).value(), 3);
}

TEST_F(secret_rotation, the_right_secret_frees_a_halted_app_at_once)
{
    append(job_text("waits"));
    auto& worker = start([](auto& each) { each.tokens.reply_to("wx-shop", {no_token(40125)}); });
    worker.source.assign(0);
    time.advance(seconds{1});
    ASSERT_EQ(worker.courier->credential_state(0).health, token_health::halted);
    offer(worker, "right");
    time.advance(seconds{1});
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
}

TEST_F(secret_rotation, an_outage_does_not_judge_a_secret)
{
    auto& worker = start([](auto& each) {
        each.tokens.reply_to("wx-shop", {token("first"), no_token(std::nullopt, "timed out"), token("first")});
    });
    offer(worker, "new");
    time.advance(minutes{11});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret", "new", "new"));
    EXPECT_EQ(worker.metrics["wxcourier_secret_rotations_total"].with({"shop", "accepted"}).value(), 1);
}

TEST_F(secret_rotation, a_classic_token_is_not_ended_for_a_trial)
{
    options.apps[0].token.origin = domain::token_origin::classic;
    auto& worker = start();
    offer(worker, "new");
    time.advance(minutes{5});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret"));
    time.advance(minutes{120});
    EXPECT_THAT(used(worker), ElementsAre("shop's secret", "new"));
}

TEST_F(secret_rotation, a_hundred_rotations_under_load_fail_no_send)
{
    auto& worker = start_with_partition();
    worker.tokens.latency = milliseconds{30};
    worker.pushes.latency = [](const auto&) { return milliseconds{20}; };
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 20; ++i)
            append(job_text("j" + std::to_string(round) + "-" + std::to_string(i)));
        worker.source.tell_of_records();
        if (round % 10 == 9)
            worker.tokens.reply_to("wx-shop", {no_token(40125)}); // a typing error, mended by the next round
        offer(worker, "secret-" + std::to_string(round));
        time.advance(milliseconds{40});
    }
    offer(worker, "last");
    time.advance(seconds{2});
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(2000));
    EXPECT_THAT(worker.pushes.calls, SizeIs(2000)) << "each in one attempt";
    EXPECT_EQ(used(worker).back(), "last");
    EXPECT_EQ(committed(), 2000);
}

} // namespace
} // namespace wxcourier::test
