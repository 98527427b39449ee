// SPDX-License-Identifier: Apache-2.0
#include "common/rfc3339.hpp"
#include "domain/delivery_decision.hpp"
#include "tests/support/print.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const steady_time now{hours{1000}};
const wall_time wall_now = *parse_rfc3339("2026-11-22T08:15:30.000Z");

push_reply answer(int errcode)
{
    push_reply reply;
    reply.reach = reach::answered;
    reply.http_status = 200;
    reply.errcode = errcode;
    return reply;
}

push_reply http(int status)
{
    push_reply reply;
    reply.reach = reach::answered;
    reply.http_status = status;
    return reply;
}

push_reply lost()
{
    push_reply reply;
    reply.reach = reach::unknown;
    reply.failure = transport_failure::timeout;
    return reply;
}

push_reply not_sent()
{
    push_reply reply;
    reply.reach = reach::not_sent;
    reply.failure = transport_failure::connect;
    return reply;
}

/// A first attempt that began just now.
attempt_history first_attempt(bool takes_client_msg_id = false)
{
    attempt_history history;
    history.attempts = 1;
    history.takes_client_msg_id = takes_client_msg_id;
    history.attempt_began = now - milliseconds{50};
    return history;
}

/// A later attempt of a message whose outcome has been unknown for so long.
attempt_history after_unknown(steady_duration ago, bool takes_client_msg_id)
{
    auto history = first_attempt(takes_client_msg_id);
    history.attempts = 2;
    history.first_unknown = now - ago;
    return history;
}

delivery_decision after(const push_reply& reply, attempt_history history = first_attempt(), delivery_rules rules = {},
                        double jitter = 0.5)
{
    return decide(reply, history, rules, now, wall_now, jitter);
}

TEST(delivery_decision, acceptance_ends_a_message)
{
    const auto decision = after(answer(0));
    EXPECT_EQ(decision.ended, job_state::sent);
    EXPECT_EQ(decision.reason, "");
}

TEST(delivery_decision, a_final_answer_ends_a_message_with_its_reason)
{
    const auto decision = after(answer(43101));
    EXPECT_EQ(decision.ended, job_state::failed);
    EXPECT_EQ(decision.reason, "refused_by_user");
}

TEST(delivery_decision, an_undocumented_code_fails_its_message_and_is_named_as_such)
{
    const auto decision = after(answer(987654));
    EXPECT_EQ(decision.ended, job_state::failed);
    EXPECT_EQ(decision.reason, "unknown_error");
    EXPECT_FALSE(decision.known_code);
}

TEST(delivery_decision, outages_back_off_with_jitter)
{
    const delivery_rules rules{.retry = {milliseconds{200}, milliseconds{60'000}}};
    for (const auto& reply : {answer(-1), http(500), http(503), http(401), http(403), not_sent()}) {
        auto history = first_attempt();
        history.retries = 3;
        const auto decision = after(reply, history, rules, 0.25);
        EXPECT_EQ(decision.ended, std::nullopt);
        EXPECT_TRUE(decision.backed_off);
        EXPECT_EQ(decision.again_at, now + milliseconds{400}) << "a quarter of 200 ms × 2³";
    }
}

TEST(delivery_decision, only_what_wechat_or_the_way_to_it_failed_draws_on_the_retry_budget)
{
    for (const auto& reply : {answer(-1), http(429), http(500), lost(), not_sent()})
        EXPECT_TRUE(after(reply).repeats);
    for (const auto code : {0, 40001, 43101, 43108, 43117, 45009, 45011, 50004})
        EXPECT_FALSE(after(answer(code)).repeats) << code;
    EXPECT_FALSE(after(lost(), first_attempt(), {.report_unknown = true}).repeats) << "it is not sent again";
}

TEST(delivery_decision, retry_after_is_honoured_where_it_is_longer)
{
    auto busy = http(429);
    busy.retry_after = seconds{7};
    EXPECT_EQ(after(busy).again_at, now + seconds{7});
    busy.retry_after = seconds{0};
    EXPECT_EQ(after(busy).again_at, now + milliseconds{100});
}

TEST(delivery_decision, gives_up_after_the_active_time_of_the_setting)
{
    const delivery_rules rules{.give_up_after = hours{6}};
    auto history = first_attempt();
    history.active_for = hours{6} - milliseconds{1};
    EXPECT_EQ(after(answer(-1), history, rules).ended, std::nullopt);
    history.active_for = hours{6};
    for (const auto& reply : {answer(-1), http(500), not_sent(), lost(), answer(43117)}) {
        const auto decision = after(reply, history, rules);
        EXPECT_EQ(decision.ended, job_state::failed);
        EXPECT_EQ(decision.reason, "retries_exhausted");
    }
}

TEST(delivery_decision, a_class_of_failures_may_have_limits_of_its_own)
{
    delivery_rules rules{.retry = {milliseconds{200}, seconds{60}}, .give_up_after = hours{6}};
    rules.per_class = {class_limits{seconds{10}, std::nullopt}, class_limits{std::nullopt, hours{1}},
                       class_limits{milliseconds{100}, minutes{5}}};
    auto history = first_attempt();
    history.retries = 20;
    EXPECT_EQ(after(not_sent(), history, rules, 0.5).again_at, now + seconds{5});
    EXPECT_EQ(after(lost(), history, rules, 0.5).again_at, now + seconds{5});
    for (const auto& reply : {answer(-1), http(429), http(503), http(401)})
        EXPECT_EQ(after(reply, history, rules, 0.5).again_at, now + seconds{30}) << "as for all";
    EXPECT_EQ(after(answer(43108), history, rules, 0.5).again_at, now + milliseconds{50}) << "not above its longest";
    history.active_for = hours{1};
    EXPECT_EQ(after(answer(-1), history, rules).ended, job_state::failed);
    EXPECT_EQ(after(http(503), history, rules).ended, job_state::failed);
    EXPECT_EQ(after(not_sent(), history, rules).ended, std::nullopt);
    history.active_for = minutes{5};
    EXPECT_EQ(after(answer(43117), history, rules).ended, job_state::failed);
    EXPECT_EQ(after(answer(-1), history, rules).ended, std::nullopt);
}

TEST(delivery_decision, quotas_tokens_and_halts_never_give_up)
{
    auto history = first_attempt();
    history.active_for = hours{1000};
    for (const int code : {45009, 45011, 40001, 42001, 50004})
        EXPECT_EQ(after(answer(code), history).ended, std::nullopt) << code;
}

TEST(delivery_decision, a_minute_quota_parks_the_lane_until_the_next_minute)
{
    const auto decision = after(answer(45011));
    EXPECT_EQ(decision.ended, std::nullopt);
    EXPECT_EQ(decision.park_lane_until, now + seconds{30});
    EXPECT_EQ(decision.again_at, now + seconds{30});
    EXPECT_FALSE(decision.backed_off);
}

TEST(delivery_decision, a_day_quota_parks_the_lane_until_midnight_in_china)
{
    const auto decision = after(answer(45009));
    EXPECT_EQ(decision.park_lane_until, now + hours{7} + minutes{44} + seconds{30});
    EXPECT_EQ(decision.reason, "quota_exhausted");
}

TEST(delivery_decision, a_dead_token_is_renewed_and_the_message_goes_again_at_once)
{
    for (const int code : {40001, 40014, 42001}) {
        const auto decision = after(answer(code));
        EXPECT_TRUE(decision.renew_token) << code;
        EXPECT_EQ(decision.again_at, now) << code;
        EXPECT_FALSE(decision.backed_off) << code;
    }
}

TEST(delivery_decision, an_account_refusal_halts_the_app)
{
    for (const int code : {50004, 50007}) {
        const auto decision = after(answer(code));
        EXPECT_TRUE(decision.halt_app) << code;
        EXPECT_EQ(decision.ended, std::nullopt) << code;
    }
}

TEST(delivery_decision, a_recipient_limit_waits_a_minute_for_that_message_only)
{
    const auto decision = after(answer(43117));
    EXPECT_EQ(decision.again_at, now + minutes{1});
    EXPECT_EQ(decision.park_lane_until, std::nullopt);
    EXPECT_LT(after(answer(43108)).again_at, now + seconds{1}) << "several sends at once: a short wait will do";
}

struct unknown_row {
    std::string_view what;
    bool takes_client_msg_id;
    bool report;
    bool at_most_once;
    std::optional<minutes> first_unknown_ago; ///< Empty: this attempt is the first.
    bool retried;
};

class unknown_outcome : public testing::TestWithParam<unknown_row> {};

TEST_P(unknown_outcome, is_retried_only_where_the_contract_says_so)
{
    const auto& row = GetParam();
    const delivery_rules rules{.at_most_once = row.at_most_once, .report_unknown = row.report};
    const auto history = row.first_unknown_ago ? after_unknown(*row.first_unknown_ago, row.takes_client_msg_id)
                                               : first_attempt(row.takes_client_msg_id);
    for (const auto& reply : {lost(), http(502), http(504)}) {
        const auto decision = after(reply, history, rules);
        EXPECT_TRUE(decision.outcome_unknown) << row.what;
        EXPECT_EQ(decision.ended, row.retried ? std::nullopt : std::optional(job_state::failed)) << row.what;
        if (!row.retried) {
            EXPECT_EQ(decision.reason, "outcome_unknown") << row.what;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    contract, unknown_outcome,
    testing::Values(unknown_row{"WeChat drops the repeat", true, false, false, {}, true},
                    unknown_row{"… also where unknown ones are reported", true, true, false, {}, true},
                    unknown_row{"… and late in the window", true, true, false, minutes{9}, true},
                    unknown_row{"the window has closed: on_unknown says retry", true, false, false, minutes{10}, true},
                    unknown_row{"the window has closed: on_unknown says report", true, true, false, minutes{10}, false},
                    unknown_row{"WeChat cannot drop it: retry", false, false, false, {}, true},
                    unknown_row{"WeChat cannot drop it: report", false, true, false, {}, false},
                    unknown_row{"at most once: reported", false, false, true, {}, false},
                    unknown_row{"at most once: reported although WeChat drops it", true, false, true, {}, false}));

TEST(delivery_decision, an_attempt_that_never_left_is_retried_whatever_the_guarantee)
{
    const delivery_rules rules{.at_most_once = true, .report_unknown = true};
    EXPECT_EQ(after(not_sent(), first_attempt(), rules).ended, std::nullopt);
    EXPECT_EQ(after(http(500), first_attempt(), rules).ended, std::nullopt);
}

TEST(delivery_decision, codes_that_may_echo_an_unknown_attempt_end_as_unknown)
{
    for (const int code : {43101, 40241, 41029, 45047}) {
        const auto decision = after(answer(code), after_unknown(seconds{5}, false));
        EXPECT_EQ(decision.ended, job_state::failed) << code;
        EXPECT_EQ(decision.reason, "outcome_unknown") << code;
        EXPECT_NE(after(answer(code)).reason, "outcome_unknown") << code << " as the first answer";
    }
}

TEST(delivery_decision, a_repeat_that_wechat_drops_counts_as_sent)
{
    EXPECT_EQ(after(answer(45065), after_unknown(seconds{5}, true)).ended, job_state::sent);
}

TEST(may_repeat, says_yes_until_an_outcome_is_unknown)
{
    EXPECT_TRUE(may_repeat(first_attempt(), {.at_most_once = true, .report_unknown = true}, now));
}

/// WeChat counts its ten minutes from when the first request reached it, and a request takes its time to get there.
TEST(may_repeat, keeps_a_distance_from_the_end_of_wechats_window)
{
    const delivery_rules rules{.report_unknown = true};
    EXPECT_TRUE(may_repeat(after_unknown(minutes{9}, true), rules, now));
    EXPECT_FALSE(may_repeat(after_unknown(minutes{10} - seconds{13}, true), rules, now))
        << "connecting and writing may last 13 s";
}

TEST(is_outage, means_the_way_to_wechat_and_not_its_verdicts)
{
    for (const auto& reply : {lost(), not_sent(), http(500), http(502), http(429), http(401), http(403)})
        EXPECT_TRUE(is_outage(reply)) << reply.http_status;
    for (const auto& reply : {answer(0), answer(-1), answer(40001), answer(43101), http(404), http(413)})
        EXPECT_FALSE(is_outage(reply)) << reply.http_status;
}

} // namespace
} // namespace wxcourier::domain
