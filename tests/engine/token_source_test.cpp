// SPDX-License-Identifier: Apache-2.0
// Tokens that come from elsewhere: a source that follows another replica, and one that is asked instead of WeChat.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using domain::token_health;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::SizeIs;

/// Follows until a test makes it the owner; what it is asked for, WeChat's call gives.
class followed_source final : public engine::token_source {
public:
    explicit followed_source(engine::token_api& api) : api_(api) {}
    [[nodiscard]] bool asks() const override { return owner_; }
    asio::awaitable<engine::token_reply> ask(engine::token_request request) override { return api_.fetch(request); }
    void on_dead(const engine::access_token& token, bool /*proven*/) override { dead.push_back(token.generation); }
    [[nodiscard]] std::string owner() const override { return owner_ ? "self" : "other"; }

    void own(engine::credentials& tokens, bool owner)
    {
        owner_ = owner;
        tokens.look_again(0);
    }

    std::vector<std::uint64_t> dead;

private:
    engine::token_api& api_;
    bool owner_ = false;
};

class token_source : public courier_test {
public:
    ~token_source() override { replicas.clear(); } // before what they use

protected:
    replica& start_following()
    {
        auto& worker = start([this](auto& each) {
            source = std::make_unique<followed_source>(each.tokens);
            each.courier->tokens().use_source(0, *source);
        });
        worker.source.assign(0);
        time.settle();
        return worker;
    }
    void bring(replica& worker, const engine::token_reply& reply)
    {
        worker.courier->tokens().bring(0, reply);
        time.settle();
    }
    std::unique_ptr<followed_source> source;
};

TEST_F(token_source, a_follower_never_asks)
{
    append(job_text("waits"));
    auto& worker = start_following();
    time.advance(minutes{20});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 0U);
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::missing);
    EXPECT_EQ(worker.courier->credential_state(0).owner, "other");
}

TEST_F(token_source, a_follower_sends_with_what_is_brought)
{
    append(job_text("first"));
    auto& worker = start_following();
    bring(worker, token("brought"));
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    EXPECT_EQ(worker.pushes.calls.at(0).token, "brought");
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
}

TEST_F(token_source, a_follower_stops_when_its_token_expires_and_goes_on_with_the_next)
{
    auto& worker = start_following();
    bring(worker, token("brought", seconds{60}));
    time.advance(seconds{61});
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::missing);
    append(job_text("late"));
    worker.source.tell_of_records();
    time.advance(seconds{10});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    bring(worker, token("next"));
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
}

TEST_F(token_source, a_dead_token_is_told_to_the_source_once_and_waited_for)
{
    for (int i = 0; i < 20; ++i)
        append(job_text("j" + std::to_string(i)));
    auto& worker = start_following();
    worker.pushes.otherwise = [](const auto& call) { return call.token == "dead" ? answer(40001) : accepted(); };
    bring(worker, token("dead"));
    time.advance(minutes{5});
    EXPECT_THAT(source->dead, testing::ElementsAre(1U));
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 0U);
    bring(worker, token("fresh"));
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(20));
}

TEST_F(token_source, the_token_that_is_in_use_brought_again_is_no_new_generation)
{
    auto& worker = start_following();
    bring(worker, token("brought"));
    bring(worker, token("brought"));
    EXPECT_EQ(worker.courier->tokens().current(0)->generation, 1U);
}

TEST_F(token_source, a_follower_shows_why_the_owner_has_no_token)
{
    auto& worker = start_following();
    bring(worker, no_token(40164, "invalid ip 203.0.113.7, not in whitelist"));
    const auto state = worker.courier->credential_state(0);
    EXPECT_EQ(state.health, token_health::halted);
    EXPECT_EQ(state.reason, "ip_not_allowed");
    bring(worker, token("brought"));
    EXPECT_EQ(worker.courier->credential_state(0).health, token_health::good);
}

TEST_F(token_source, a_new_owner_asks_when_the_token_it_has_runs_out)
{
    auto& worker = start_following();
    bring(worker, token("brought", minutes{20}));
    source->own(worker.courier->tokens(), true);
    time.advance(minutes{10});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 0U) << "what it has is still good";
    time.advance(minutes{10});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 1U);
    source->own(worker.courier->tokens(), false);
    time.advance(minutes{30});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 1U);
}

TEST_F(token_source, a_new_owner_without_a_token_asks_at_once)
{
    append(job_text("waits"));
    auto& worker = start_following();
    source->own(worker.courier->tokens(), true);
    time.advance(seconds{1});
    EXPECT_EQ(worker.tokens.calls_for("wx-shop"), 1U);
    EXPECT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
}

} // namespace
} // namespace wxcourier::test
