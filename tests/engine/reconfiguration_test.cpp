// SPDX-License-Identifier: Apache-2.0
// Apps come, change and go while jobs are under way: none is lost, none is sent twice.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::token_health;
using std::chrono::minutes;
using testing::Each;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

class reconfiguration : public courier_test {
protected:
    /// An app that the configuration has not got at the start.
    [[nodiscard]] engine::app_options another(const std::string& name) const
    {
        auto app = options.apps[0];
        app.name = name;
        app.appid = "wx-" + name;
        return app;
    }
    [[nodiscard]] std::string ahead(steady_duration span)
    {
        return std::to_string(
            std::chrono::duration_cast<milliseconds>(time.wall_now().time_since_epoch() + span).count());
    }
    void take(replica& worker, const job_text& job)
    {
        append(job);
        worker.source.tell_of_records();
        time.settle();
    }
};

TEST_F(reconfiguration, jobs_of_an_app_that_is_added_are_sent)
{
    auto& worker = start_with_partition();
    take(worker, job_text("j1").to("o1"));
    const auto index = worker.courier->add_app(another("new"), nullptr);
    time.settle();
    take(worker, job_text("j2").app("new").to("o2"));
    time.advance(seconds{1});
    EXPECT_EQ(index, 2U);
    EXPECT_EQ(worker.courier->find_app("new"), 2U);
    EXPECT_EQ(worker.courier->credential_state(index).health, token_health::good);
    EXPECT_THAT(outcomes(), testing::UnorderedElementsAre(Pair("o1", "sent"), Pair("o2", "sent")));
    EXPECT_EQ(committed(), 2);
}

TEST_F(reconfiguration, an_app_can_be_added_before_anything_runs)
{
    append(job_text("j1").app("new").to("o1"));
    auto& worker = start([this](replica& each) { each.courier->add_app(another("new"), nullptr); });
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
    EXPECT_EQ(worker.tokens.calls_for("wx-new"), 1U);
}

TEST_F(reconfiguration, what_is_under_way_goes_on_while_apps_are_added)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    take(worker, job_text("j1").to("o1"));
    time.settle();
    for (int i = 0; i < 50; ++i)
        worker.courier->add_app(another("new" + std::to_string(i)), nullptr);
    worker.pushes.answer("o1");
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(reconfiguration, the_jobs_of_a_removed_app_that_are_in_memory_end_and_no_other_is_taken)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    take(worker, job_text("j1").app("game").to("under way"));
    take(worker, job_text("j2").app("game").to("waits").with("not_before", ahead(minutes{200})));
    time.settle();
    worker.courier->remove_app(1);
    worker.pushes.answer("under way");
    worker.pushes.hold = false;
    EXPECT_EQ(worker.courier->find_app("game"), std::nullopt);
    time.advance(minutes{199});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("under way", "sent")));
    EXPECT_GE(worker.tokens.calls_for("wx-game"), 2U) << "its token is kept current while a job waits for it";
    time.advance(minutes{2});
    EXPECT_THAT(outcomes(), testing::UnorderedElementsAre(Pair("under way", "sent"), Pair("waits", "sent")));
    EXPECT_EQ(committed(), 2);
    const auto calls = worker.tokens.calls_for("wx-game");
    time.advance(minutes{300});
    EXPECT_EQ(worker.tokens.calls_for("wx-game"), calls) << "and no longer";
    EXPECT_TRUE(worker.metrics.hidden(worker.metrics["wxcourier_queued"].definition(), {"game"}));
    EXPECT_FALSE(worker.metrics.hidden(worker.metrics["wxcourier_queued"].definition(), {"shop"}));
}

TEST_F(reconfiguration, an_app_that_comes_back_gets_its_index_again)
{
    auto& worker = start_with_partition();
    const auto game = options.apps[1];
    for (int round = 0; round < 5; ++round) {
        worker.courier->remove_app(1);
        time.advance(seconds{5});
        EXPECT_EQ(worker.courier->add_app(game, nullptr), 1U);
        time.advance(seconds{5});
        take(worker, job_text("j" + std::to_string(round)).app("game").to("o" + std::to_string(round)));
        time.advance(seconds{1});
    }
    EXPECT_THAT(outcomes(), SizeIs(5));
    EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
    EXPECT_FALSE(worker.metrics.hidden(worker.metrics["wxcourier_queued"].definition(), {"game"}));
}

TEST_F(reconfiguration, another_account_under_the_same_name_is_another_app)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    take(worker, job_text("j1").app("game").to("of the old one"));
    time.settle();
    auto other = options.apps[1];
    other.appid = "wx-other";
    worker.courier->remove_app(1);
    EXPECT_EQ(worker.courier->add_app(other, nullptr), 2U);
    take(worker, job_text("j2").app("game").to("of the new one"));
    time.advance(seconds{1});
    worker.pushes.answer("of the old one");
    worker.pushes.answer("of the new one");
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(),
                testing::UnorderedElementsAre(Pair("of the old one", "sent"), Pair("of the new one", "sent")));
    EXPECT_FALSE(worker.metrics.hidden(worker.metrics["wxcourier_queued"].definition(), {"game"}))
        << "the name is still one of an app";
}

TEST_F(reconfiguration, a_lower_rate_holds_at_once)
{
    auto& worker = start_with_partition();
    auto limits = options.apps[0].limits;
    limits.rate_per_second = 1;
    limits.burst = 1;
    worker.courier->change_limits(0, limits);
    for (int i = 0; i < 10; ++i)
        take(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    time.advance(milliseconds{4500});
    EXPECT_LE(outcomes().size(), 5U);
    limits.rate_per_second = 1e6;
    worker.courier->change_limits(0, limits);
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(), SizeIs(10));
}

TEST_F(reconfiguration, a_lower_concurrency_lets_what_is_under_way_end)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    for (int i = 0; i < 6; ++i)
        take(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    time.settle();
    ASSERT_EQ(worker.pushes.pending(), 6U);
    auto limits = options.apps[0].limits;
    limits.concurrency = 2;
    worker.courier->change_limits(0, limits);
    for (int i = 6; i < 9; ++i)
        take(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    time.settle();
    for (int i = 0; i < 5; ++i)
        worker.pushes.answer("o" + std::to_string(i));
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.pending(), 2U) << "the sixth, and one more";
    worker.pushes.answer_all();
    time.advance(seconds{1});
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), SizeIs(9));
}

TEST_F(reconfiguration, a_token_of_another_source_is_used_when_it_is_there)
{
    auto& worker = start_with_partition();
    worker.pushes.hold = true;
    take(worker, job_text("j1").to("with the old token"));
    time.settle();
    const auto before = worker.courier->tokens().current(0);
    auto wanted = options.apps[0];
    wanted.app_secret = secret("another secret");
    worker.tokens.hold = true;
    worker.courier->change_tokens(0, wanted, nullptr);
    time.settle();
    take(worker, job_text("j2").to("with the new token"));
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.pending(), 1U) << "there is no token yet";
    worker.tokens.hold = false;
    worker.tokens.answer_all();
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.pending(), 2U);
    EXPECT_GT(worker.courier->tokens().current(0)->generation, before->generation);
    EXPECT_EQ(worker.tokens.calls.back().app_secret, "another secret");
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(),
                testing::UnorderedElementsAre(Pair("with the old token", "sent"), Pair("with the new token", "sent")));
}

TEST_F(reconfiguration, retries_are_spaced_as_the_new_settings_say)
{
    auto& worker = start([](auto& each) { each.pushes.reply_to("o1", {answer(-1), answer(-1), accepted()}); });
    worker.courier->change_retry({milliseconds{600'000}, milliseconds{600'000}}, std::chrono::hours{6});
    take(worker, job_text("j1").to("o1"));
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.sends_to("o1"), 1U);
    worker.courier->change_retry({milliseconds{10}, milliseconds{10}}, std::chrono::hours{6});
    time.advance(minutes{10} + seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
    EXPECT_EQ(worker.pushes.sends_to("o1"), 3U);
}

TEST_F(reconfiguration, apps_come_and_go_while_partitions_do)
{
    auto& worker = start();
    for (int round = 0; round < 20; ++round) {
        const auto name = "app" + std::to_string(round);
        const auto index = worker.courier->add_app(another(name), nullptr);
        const auto id = worker.source.assign(0);
        time.settle();
        take(worker, job_text("j" + name).app(name).to("o" + name));
        take(worker, job_text("s" + name).to("s" + name));
        time.advance(seconds{1});
        worker.courier->remove_app(index);
        worker.source.revoke({id});
        time.advance(seconds{1});
    }
    EXPECT_THAT(outcomes(), SizeIs(40));
    EXPECT_THAT(outcomes(), Each(Pair(testing::_, "sent")));
    EXPECT_EQ(committed(), 40);
    EXPECT_TRUE(worker.failures.empty());
}

} // namespace
} // namespace wxcourier::test
