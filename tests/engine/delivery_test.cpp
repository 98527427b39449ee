// SPDX-License-Identifier: Apache-2.0
// From a record to its status: one message, its outcomes and its limits in time.
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class delivery : public courier_test {
protected:
    std::string in(milliseconds wait) { return '"' + format_rfc3339(time.wall_now() + wait) + '"'; }
};

TEST_F(delivery, a_job_is_sent_reported_and_committed)
{
    append(job_text("j1").to("o1").with("labels", R"({"campaign":"spring"})"));
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    ASSERT_THAT(worker.publisher.statuses(), SizeIs(1));
    const auto status = worker.publisher.statuses()[0];
    EXPECT_EQ(status.id, "j1");
    EXPECT_EQ(status.app, "shop");
    EXPECT_EQ(status.kind, "official.template");
    EXPECT_EQ(status.touser, "o1");
    EXPECT_EQ(status.state, job_state::sent);
    EXPECT_EQ(status.errcode, 0);
    EXPECT_EQ(status.msgid, "9007199254740993");
    EXPECT_EQ(status.attempts, 1);
    EXPECT_EQ(status.worker, "test");
    EXPECT_EQ(status.source, (domain::source_position{"push.jobs", 0, 0}));
    EXPECT_THAT(*status.labels, ElementsAre(Pair("campaign", "spring")));
    EXPECT_EQ(committed(), 1);
    EXPECT_THAT(worker.publisher.on("push.dead"), IsEmpty());
    EXPECT_TRUE(worker.drain().clean());
}

TEST_F(delivery, the_status_has_the_jobs_id_as_key_and_passes_on_its_tracing_headers)
{
    log.append(0, job_text("j1").json(), time.wall_now(), "openid",
               {{"traceparent", "00-1"}, {"tracestate", "a=b"}, {"x-tenant", std::nullopt}, {"other", "no"}});
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    const auto record = worker.publisher.on("push.status").at(0);
    EXPECT_EQ(record.key, "j1");
    EXPECT_THAT(headers_of(record),
                ElementsAre(Pair("traceparent", "00-1"), Pair("tracestate", "a=b"), Pair("x-tenant", "(null)")));
}

TEST_F(delivery, a_final_answer_fails_the_job_with_a_dead_letter)
{
    log.append(0, job_text("j1").to("o1").json(), time.wall_now(), "the key", {{"mine", "1"}});
    auto& worker = start();
    worker.pushes.reply_to("o1", {answer(43101, "user refuse to accept the msg")});
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto status = worker.publisher.statuses().at(0);
    EXPECT_EQ(status.state, job_state::failed);
    EXPECT_EQ(status.reason, "refused_by_user");
    EXPECT_EQ(status.errcode, 43101);
    EXPECT_EQ(status.errmsg, "user refuse to accept the msg");
    const auto letter = worker.publisher.on("push.dead").at(0);
    EXPECT_EQ(letter.key, "the key");
    EXPECT_EQ(letter.value, log.partitions[0].records[0].value);
    const auto headers = headers_of(letter);
    EXPECT_EQ(headers.at("mine"), "1");
    EXPECT_EQ(headers.at("wxcourier.state"), "failed");
    EXPECT_EQ(headers.at("wxcourier.reason"), "refused_by_user");
    EXPECT_EQ(headers.at("wxcourier.error"), "user refuse to accept the msg");
    EXPECT_EQ(headers.at("wxcourier.source"), "push.jobs/0/0");
    EXPECT_FALSE(headers.contains("wxcourier.recipients"));
    EXPECT_EQ(committed(), 1);
}

TEST_F(delivery, the_offset_waits_for_the_dead_letter)
{
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {answer(43101)});
    worker.publisher.hold = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    worker.publisher.acknowledge_one(); // the status
    time.advance(seconds{1});
    EXPECT_EQ(committed(), -1);
    ASSERT_THAT(worker.publisher.waiting, SizeIs(1));
    worker.publisher.acknowledge_one();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 1);
}

TEST_F(delivery, a_dead_letter_that_the_broker_finds_too_large_goes_without_its_value)
{
    append(job_text("j1").to("o1").says(std::string(900, 'x')));
    auto& worker = start();
    worker.pushes.reply_to("o1", {answer(43101)});
    worker.publisher.largest_value = 1000;
    const auto size = log.partitions[0].records[0].value->size();
    worker.publisher.status_topic = "none";
    worker.source.assign(0);
    time.advance(seconds{1});
    const auto letter = worker.publisher.on("push.dead").at(0);
    EXPECT_EQ(letter.value, "");
    EXPECT_EQ(headers_of(letter).at("wxcourier.truncated"), std::to_string(size));
    EXPECT_EQ(headers_of(letter).at("wxcourier.source"), "push.jobs/0/0");
}

struct bad_record {
    std::string_view what;
    std::optional<std::string> value;
    std::string_view reason;
    std::optional<std::string> id;
};

TEST_F(delivery, what_is_no_job_is_rejected_with_a_dead_letter_and_nothing_is_sent)
{
    const std::vector<bad_record> rows{
        {"a tombstone", std::nullopt, "invalid_job", std::nullopt},
        {"no JSON", "hello", "invalid_job", std::nullopt},
        {"an app by a name that none can have", job_text("j2").app("no app").json(), "unknown_app", "j2"},
        {"an unknown kind", job_text("j3").kind("official.smoke_signal").json(), "unknown_kind", "j3"},
        {"an unknown field", job_text("j4").with("colour", "1").json(), "invalid_job", "j4"}};
    for (const auto& row : rows)
        log.append(0, row.value, time.wall_now(), "key");
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    const auto statuses = worker.publisher.statuses();
    const auto letters = worker.publisher.on("push.dead");
    const auto records = worker.publisher.on("push.status");
    ASSERT_THAT(statuses, SizeIs(rows.size()));
    ASSERT_THAT(letters, SizeIs(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(statuses[i].state, job_state::rejected) << rows[i].what;
        EXPECT_EQ(statuses[i].reason, rows[i].reason) << rows[i].what;
        EXPECT_EQ(statuses[i].id, rows[i].id) << rows[i].what;
        EXPECT_EQ(records[i].key, rows[i].id.value_or("push.jobs/0/" + std::to_string(i))) << rows[i].what;
        EXPECT_EQ(letters[i].value, rows[i].value) << rows[i].what;
        EXPECT_EQ(headers_of(letters[i]).at("wxcourier.state"), "rejected") << rows[i].what;
    }
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    EXPECT_EQ(committed(), static_cast<std::int64_t>(rows.size()));
}

TEST_F(delivery, a_topic_may_be_kept_to_some_apps)
{
    options.topic_apps = {{"push.jobs", {"game"}}};
    append(job_text("j1").app("shop"));
    append(job_text("j2").app("game"));
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_EQ(worker.publisher.statuses(job_state::rejected).at(0).reason, "forbidden_app");
    EXPECT_EQ(worker.publisher.statuses(job_state::sent).at(0).id, "j2");
}

TEST_F(delivery, what_passes_by_itself_is_tried_again_until_it_has)
{
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {answer(-1), http(503), no_connection(), http(401), accepted()});
    worker.source.assign(0);
    time.advance(minutes{2});
    const auto status = worker.publisher.statuses().at(0);
    EXPECT_EQ(status.state, job_state::sent);
    EXPECT_EQ(status.attempts, 5);
}

TEST_F(delivery, a_job_fails_once_it_was_tried_for_give_up_after)
{
    options.delivery.give_up_after = minutes{10};
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.otherwise = [](const auto&) { return answer(-1, "system busy"); };
    worker.source.assign(0);
    time.advance(minutes{9});
    EXPECT_THAT(worker.publisher.statuses(), IsEmpty());
    time.advance(minutes{3});
    const auto status = worker.publisher.statuses().at(0);
    EXPECT_EQ(status.state, job_state::failed);
    EXPECT_EQ(status.reason, "retries_exhausted");
    EXPECT_EQ(status.errcode, -1);
    EXPECT_THAT(worker.publisher.on("push.dead"), SizeIs(1));
    EXPECT_EQ(committed(), 1);
}

TEST_F(delivery, the_last_answer_of_wechat_stays_in_the_status)
{
    options.delivery.give_up_after = seconds{1};
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {answer(-1, "system busy")});
    worker.pushes.otherwise = [](const auto&) { return no_connection(); };
    worker.source.assign(0);
    time.advance(minutes{3});
    const auto status = worker.publisher.statuses().at(0);
    EXPECT_EQ(status.errcode, -1) << "the last answer, not the last attempt";
    EXPECT_EQ(status.errmsg, "system busy");
}

TEST_F(delivery, a_job_is_not_sent_once_its_expire_at_has_passed)
{
    append(job_text("j1").to("late").with("expire_at", in(seconds{0})));
    append(job_text("j2").to("early").with("expire_at", in(seconds{5})));
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("early", "sent"), Pair("late", "expired/expired")));
    EXPECT_EQ(worker.pushes.sends_to("late"), 0U);
    EXPECT_EQ(worker.publisher.statuses(job_state::expired).at(0).attempts, 0);
    EXPECT_THAT(worker.publisher.on("push.dead"), IsEmpty()) << "an expired job leaves no dead letter";
    EXPECT_EQ(committed(), 2);
}

TEST_F(delivery, a_job_expires_between_its_attempts)
{
    append(job_text("j1").to("o1").with("expire_at", in(seconds{30})));
    auto& worker = start();
    worker.pushes.otherwise = [](const auto&) { return answer(-1); };
    const auto began = time.now();
    worker.source.assign(0);
    time.advance(seconds{32});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "expired/expired")));
    EXPECT_GT(worker.pushes.calls.size(), 2U);
    for (const auto& call : worker.pushes.calls)
        EXPECT_LT(call.at, began + seconds{30});
}

TEST_F(delivery, a_job_expires_on_time_while_its_app_sends_nothing)
{
    append(job_text("j1").to("o1").with("expire_at", in(seconds{30})));
    auto& worker = start([](auto& each) { each.tokens.hold = true; });
    worker.source.assign(0);
    time.advance(seconds{29});
    EXPECT_THAT(outcomes(), IsEmpty());
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "expired/expired")));
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
}

TEST_F(delivery, a_job_that_is_older_than_max_age_is_too_old)
{
    options.max_age = hours{1};
    log.append(0, job_text("j1").to("old").json(), time.wall_now() - hours{1});
    log.append(0, job_text("j2").to("new").json(), time.wall_now() - minutes{59});
    log.append(0, job_text("j3").to("both").with("expire_at", in(minutes{-90})).json(), time.wall_now() - hours{2});
    start_with_partition();
    time.advance(seconds{2});
    EXPECT_THAT(outcomes(),
                ElementsAre(Pair("both", "expired/expired"), Pair("new", "sent"), Pair("old", "expired/too_old")));
}

TEST_F(delivery, max_age_counts_from_not_before_where_that_is_later)
{
    options.max_age = hours{1};
    log.append(0, job_text("j1").to("o1").with("not_before", in(minutes{90})).json(), time.wall_now());
    start_with_partition();
    time.advance(minutes{91});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(delivery, not_before_is_kept_to_the_millisecond)
{
    append(job_text("j1").to("o1").with("not_before", in(milliseconds{90'500})));
    const auto due = time.now() + milliseconds{90'500};
    auto& worker = start_with_partition();
    time.advance(hours{1});
    ASSERT_THAT(worker.pushes.calls, SizeIs(1));
    EXPECT_EQ(worker.pushes.calls[0].at, due);
}

TEST_F(delivery, a_wall_clock_that_goes_back_does_not_send_early)
{
    append(job_text("j1").to("o1").with("not_before", in(minutes{10})));
    auto& worker = start_with_partition();
    time.advance(minutes{5});
    time.adjust_wall(-minutes{60});
    time.advance(minutes{60});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    time.advance(minutes{6});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
}

TEST_F(delivery, a_wall_clock_that_goes_ahead_lets_a_waiting_job_go)
{
    append(job_text("j1").to("o1").with("not_before", in(hours{10})));
    auto& worker = start_with_partition();
    time.advance(minutes{1});
    time.adjust_wall(hours{10});
    time.advance(seconds{3});
    EXPECT_THAT(worker.pushes.calls, SizeIs(1));
}

TEST_F(delivery, a_repeat_after_an_unknown_outcome_is_the_same_to_the_byte)
{
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {no_answer(), answer(45065)});
    worker.source.assign(0);
    time.advance(seconds{5});
    ASSERT_THAT(worker.pushes.calls, SizeIs(2));
    EXPECT_EQ(worker.pushes.calls[0].body, worker.pushes.calls[1].body);
    EXPECT_THAT(worker.pushes.calls[0].body, HasSubstr("client_msg_id"));
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent")));
}

TEST_F(delivery, an_unknown_outcome_is_reported_where_that_is_asked_for_and_wechat_cannot_drop_the_repeat)
{
    options.delivery.report_unknown = true;
    append(job_text("j1").kind("official.custom").to("custom"));
    append(job_text("j2").to("template"));
    auto& worker = start();
    worker.pushes.reply_to("custom", {no_answer()});
    worker.pushes.reply_to("template", {no_answer()});
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("custom", "failed/outcome_unknown"), Pair("template", "sent")));
    EXPECT_EQ(worker.pushes.sends_to("custom"), 1U);
    EXPECT_EQ(worker.pushes.sends_to("template"), 2U);
}

TEST_F(delivery, a_repeat_that_could_not_go_inside_wechats_window_is_reported)
{
    options.delivery.report_unknown = true;
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {no_answer(), answer(45009)});
    worker.source.assign(0);
    time.advance(hours{8});
    EXPECT_EQ(worker.pushes.sends_to("o1"), 2U);
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "failed/outcome_unknown")));
}

TEST_F(delivery, a_refusal_after_an_unknown_outcome_may_be_the_echo_of_a_success)
{
    append(job_text("j1").kind("official.subscribe").to("o1"));
    auto& worker = start();
    worker.pushes.reply_to("o1", {no_answer(), answer(43101)});
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "failed/outcome_unknown")));
    EXPECT_EQ(worker.publisher.statuses().at(0).errcode, 43101);
}

TEST_F(delivery, a_dry_run_does_everything_but_the_post)
{
    options.dry_run = true;
    append(job_text("j1").to("o1"));
    append(job_text("j2").recipients(20, "r"));
    auto& worker = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    EXPECT_EQ(outcomes().size(), 21U);
    for (const auto& [touser, outcome] : outcomes())
        EXPECT_EQ(outcome, "simulated") << touser;
    EXPECT_EQ(worker.publisher.statuses().at(0).attempts, 0);
    EXPECT_GE(worker.tokens.calls.size(), 1U);
    EXPECT_EQ(committed(), 2);
}

TEST_F(delivery, a_dry_run_keeps_the_rate)
{
    options.dry_run = true;
    options.apps[0].limits.rate_per_second = 10;
    options.apps[0].limits.burst = 1;
    for (int i = 0; i < 30; ++i)
        append(job_text("j" + std::to_string(i)));
    start_with_partition();
    time.advance(seconds{1});
    EXPECT_EQ(outcomes().size(), 11U);
}

TEST_F(delivery, a_dry_run_holds_recipients_to_their_limit)
{
    options.dry_run = true;
    options.apps[0].limits.per_recipient = {2, hours{1}};
    for (int i = 0; i < 5; ++i)
        append(job_text("j" + std::to_string(i)).to("o1").says(std::to_string(i)));
    auto& worker = start_with_partition();
    time.advance(seconds{10});
    EXPECT_EQ(worker.publisher.statuses(job_state::simulated).size(), 2U);
    time.advance(hours{1} - seconds{10} - milliseconds{1});
    EXPECT_EQ(worker.publisher.statuses(job_state::simulated).size(), 2U) << "the window's last millisecond";
    time.advance(seconds{10} + milliseconds{1});
    EXPECT_EQ(worker.publisher.statuses(job_state::simulated).size(), 4U);
    time.advance(hours{1} - seconds{10} - milliseconds{1});
    EXPECT_EQ(worker.publisher.statuses(job_state::simulated).size(), 4U);
    time.advance(milliseconds{1});
    EXPECT_EQ(worker.publisher.statuses(job_state::simulated).size(), 5U);
}

TEST_F(delivery, a_dead_letter_tells_the_attempts)
{
    append(job_text("j1").to("o1"));
    append(job_text("j2").recipients(3, "r"));
    auto& worker = start([](auto& each) {
        each.pushes.reply_to("o1", {answer(-1), http(503), answer(40037)});
        each.pushes.reply_to("r1", {answer(47003)});
    });
    worker.source.assign(0);
    time.advance(seconds{10});
    const auto letters = worker.publisher.on("push.dead");
    ASSERT_EQ(letters.size(), 2U);
    std::map<std::string, std::string> logs;
    for (const auto& letter : letters)
        logs[headers_of(letter).at("wxcourier.source")] = headers_of(letter).at("wxcourier.attempts_log");
    const auto& log = logs.at("push.jobs/0/0");
    EXPECT_THAT(log, testing::StartsWith(R"({"attempts":3,"log":[{"at":"2026-11-22T)"));
    EXPECT_THAT(log, testing::HasSubstr(R"("errcode":-1},)"));
    EXPECT_THAT(log, testing::HasSubstr(R"("http_status":503},)"));
    EXPECT_THAT(log, testing::EndsWith(R"("errcode":40037}]})"));
    EXPECT_THAT(logs.at("push.jobs/0/1"), testing::HasSubstr(R"("recipient":1,)"));
}

TEST_F(delivery, urgent_jobs_overtake)
{
    options.apps[0].limits.concurrency = 1;
    for (int i = 0; i < 20; ++i)
        append(job_text("n" + std::to_string(i)));
    append(job_text("u").with("priority", R"("high")"));
    auto& worker = start();
    worker.pushes.latency = [](const auto&) { return seconds{1}; };
    worker.source.assign(0);
    time.advance(seconds{4});
    EXPECT_EQ(worker.pushes.sends_to("to-u"), 1U);
}

TEST_F(delivery, waiting_costs_no_turns_of_the_loop)
{
    append(job_text("j1").with("not_before", in(hours{5})));
    start_with_partition();
    const auto before = loop.poll();
    EXPECT_EQ(before, 0U) << "everything waits for time";
}

} // namespace
} // namespace wxcourier::test
