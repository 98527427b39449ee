// SPDX-License-Identifier: Apache-2.0
// What operators pause and change, in one process.
#include "tests/support/courier_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

namespace wxcourier::test {
namespace {

using domain::job_state;
using engine::operator_outcome;
using engine::operator_scope;
using result = operator_outcome::result;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

/// The template of `job_text`.
const std::string usual = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY";

class operator_control : public courier_test {
protected:
    operator_outcome outcome_of(asio::awaitable<operator_outcome> call)
    {
        auto came = std::make_shared<std::optional<operator_outcome>>();
        asio::co_spawn(loop, std::move(call),
                       [came](const std::exception_ptr&, operator_outcome outcome) { *came = outcome; });
        time.settle();
        EXPECT_TRUE(came->has_value());
        return came->value_or(operator_outcome{});
    }
    result pause(replica& at, domain::pause_target target)
    {
        return outcome_of(at.courier->operators().pause(std::move(target), operator_scope::instance, "alice")).what;
    }
    result resume(replica& at, domain::pause_target target)
    {
        return outcome_of(at.courier->operators().resume(std::move(target), operator_scope::instance, "alice")).what;
    }
    result change_rate(replica& at, const domain::rate_patch& patch)
    {
        return outcome_of(at.courier->operators().change_rate("shop", patch, operator_scope::instance, "alice")).what;
    }
    static std::vector<domain::status_record> events(replica& worker)
    {
        return worker.publisher.statuses(job_state::event);
    }
    std::int64_t append_now(replica& to, const job_text& job)
    {
        const auto offset = append(job);
        to.source.tell_of_records();
        time.settle();
        return offset;
    }
};

TEST_F(operator_control, a_paused_app_waits_and_others_do_not_notice)
{
    auto& worker = start_with_partition();
    EXPECT_EQ(pause(worker, {"shop", {}, {}}), result::done);
    append_now(worker, job_text("j1").to("o1"));
    append_now(worker, job_text("j2").app("game").to("o2"));
    time.advance(hours{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o2", "sent")));
    EXPECT_EQ(resume(worker, {"shop", {}, {}}), result::done);
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent"), Pair("o2", "sent")));
}

TEST_F(operator_control, a_paused_kind_waits_alone)
{
    auto& worker = start_with_partition();
    pause(worker, {{}, "official.custom", {}});
    append_now(worker, job_text("j1").kind("official.custom").to("o1"));
    append_now(worker, job_text("j2").to("o2"));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o2", "sent")));
    resume(worker, {{}, "official.custom", {}});
    EXPECT_THAT(outcomes(), SizeIs(2));
}

TEST_F(operator_control, a_paused_template_waits_alone_be_it_new_or_queued)
{
    options.apps[0].limits.rate_per_second = 1;
    options.apps[0].limits.burst = 1;
    auto& worker = start_with_partition();
    for (int i = 0; i < 5; ++i)
        append_now(worker, job_text("t" + std::to_string(i)).to("t" + std::to_string(i)));
    time.advance(milliseconds{100});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("t0", "sent")));
    pause(worker, {"shop", {}, usual}); // four of them wait for their rate
    append_now(worker, job_text("t5").to("t5"));
    append_now(worker, job_text("c").kind("official.custom").to("c"));
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("c", "sent"), Pair("t0", "sent"))) << "and they took no permit";
    resume(worker, {"shop", {}, usual});
    time.advance(seconds{10});
    EXPECT_THAT(outcomes(), SizeIs(7));
}

TEST_F(operator_control, a_template_of_one_recipient_is_looked_at_too)
{
    auto& worker = start_with_partition();
    pause(worker, {{}, {}, "TM-other"});
    log.append(0,
               R"({"id":"j1","app":"shop","kind":"official.template","message":{"template_id":"TM-usual","data":{}},)"
               R"("recipients":["a",{"touser":"b","template_id":"TM-other"}]})",
               time.wall_now(), "key");
    worker.source.tell_of_records();
    time.advance(minutes{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("a", "sent")));
    resume(worker, {{}, {}, "TM-other"});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("a", "sent"), Pair("b", "sent")));
}

TEST_F(operator_control, a_template_pause_survives_being_looked_at)
{
    auto& worker = start_with_partition();
    pause(worker, {{}, {}, usual});
    append_now(worker, job_text("j1").to("o1"));
    time.advance(hours{3});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    resume(worker, {{}, {}, usual});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(operator_control, a_paused_message_still_expires)
{
    auto& worker = start_with_partition();
    pause(worker, {});
    append_now(worker, job_text("j1").to("o1").with(
                           "expire_at", std::to_string((time.wall_now() + minutes{5}).time_since_epoch().count())));
    time.advance(minutes{6});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "expired/expired")));
}

TEST_F(operator_control, time_in_a_pause_does_not_count_against_giving_up)
{
    for (const domain::pause_target& target :
         {domain::pause_target{"shop", {}, {}}, domain::pause_target{{}, "official.template", {}},
          domain::pause_target{{}, {}, usual}})
    {
        options.delivery.give_up_after = minutes{10};
        auto& worker = start([](auto& each) { each.pushes.otherwise = [](const auto&) { return answer(-1); }; });
        worker.source.assign(static_cast<std::int32_t>(replicas.size()));
        append(job_text("j").to("to-" + describe(target)), static_cast<std::int32_t>(replicas.size()));
        worker.source.tell_of_records();
        time.advance(minutes{2});
        pause(worker, target);
        time.advance(hours{2});
        worker.pushes.otherwise = [](const auto&) { return accepted(); };
        resume(worker, target);
        time.advance(minutes{2});
        ASSERT_THAT(worker.publisher.statuses(job_state::failed), IsEmpty()) << describe(target);
        ASSERT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1)) << describe(target);
    }
}

TEST_F(operator_control, a_pause_of_more_than_a_minute_is_said_once_for_each_message)
{
    auto& worker = start_with_partition();
    pause(worker, {"shop", {}, {}});
    append_now(worker, job_text("j1").to("o1"));
    time.advance(seconds{59});
    EXPECT_THAT(worker.publisher.statuses(job_state::deferred), IsEmpty());
    time.advance(minutes{30});
    const auto deferred = worker.publisher.statuses(job_state::deferred);
    ASSERT_THAT(deferred, SizeIs(1));
    EXPECT_EQ(deferred[0].reason, "app_paused");
    EXPECT_EQ(deferred[0].touser, "o1");
    EXPECT_TRUE(deferred[0].retry_at);
}

TEST_F(operator_control, each_change_is_an_event_once)
{
    auto& worker = start_with_partition();
    pause(worker, {"shop", {}, {}});
    EXPECT_EQ(pause(worker, {"shop", {}, {}}), result::unchanged);
    resume(worker, {"shop", {}, {}});
    pause(worker, {{}, {}, "TM1"});
    ASSERT_THAT(events(worker), SizeIs(3));
    const auto first = events(worker)[0];
    EXPECT_EQ(first.reason, "app_paused");
    EXPECT_EQ(first.app, "shop");
    EXPECT_EQ(first.id, std::nullopt);
    EXPECT_EQ(first.kind, std::nullopt);
    ASSERT_TRUE(first.operation);
    EXPECT_EQ(first.operation->by, "alice");
    EXPECT_EQ(first.operation->scope, "instance");
    EXPECT_EQ(events(worker)[1].reason, "app_resumed");
    EXPECT_EQ(events(worker)[2].reason, "template_paused");
    EXPECT_EQ(events(worker)[2].app, std::nullopt);
    EXPECT_EQ(events(worker)[2].operation->template_id, "TM1");
    for (const auto& record : worker.publisher.on("push.status"))
        EXPECT_EQ(record.key, "@event");
}

TEST_F(operator_control, a_rate_holds_at_once_and_null_gives_back_the_configurations)
{
    auto& worker = start_with_partition();
    EXPECT_EQ(change_rate(worker, {.per_second = 2.0, .burst = 1.0, .concurrency = {}}), result::done);
    for (int i = 0; i < 100; ++i)
        append_now(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    time.advance(seconds{10});
    EXPECT_GE(outcomes().size(), 19U);
    EXPECT_LE(outcomes().size(), 22U);
    EXPECT_EQ(change_rate(worker,
                          {.per_second = std::optional<double>{}, .burst = std::optional<double>{}, .concurrency = {}}),
              result::done);
    time.advance(seconds{1});
    EXPECT_EQ(outcomes().size(), 100U);
    ASSERT_THAT(events(worker), SizeIs(2));
    EXPECT_EQ(events(worker)[0].reason, "rate_changed");
    EXPECT_EQ(events(worker)[0].operation->limits, (domain::rate_override{2.0, 1.0, std::nullopt}));
    EXPECT_EQ(events(worker)[1].operation->limits, domain::rate_override{});
}

TEST_F(operator_control, a_concurrency_holds_also_after_an_outage)
{
    auto& worker = start_with_partition();
    change_rate(worker, {.per_second = {}, .burst = {}, .concurrency = std::size_t{3}});
    domain::push_reply lost;
    lost.reach = domain::reach::not_sent;
    lost.failure = domain::transport_failure::connect;
    worker.pushes.otherwise = [&lost](const auto&) { return lost; };
    for (int i = 0; i < 50; ++i)
        append_now(worker, job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
    time.advance(minutes{1});
    worker.pushes.otherwise = [](const auto&) { return accepted(); };
    worker.pushes.latency = [](const auto&) { return milliseconds{50}; };
    worker.pushes.most_at_once = 0;
    time.advance(minutes{5});
    EXPECT_EQ(outcomes().size(), 50U);
    EXPECT_LE(worker.pushes.most_at_once, 3U);
}

} // namespace
} // namespace wxcourier::test
