// SPDX-License-Identifier: Apache-2.0
#include "domain/classify.hpp"
#include "domain/reasons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <set>

namespace wxcourier::domain {

// So that a failure prints words instead of bytes.
void PrintTo(next_step step, std::ostream* out)
{
    *out << to_string(step);
}
void PrintTo(token_step step, std::ostream* out)
{
    *out << to_string(step);
}

namespace {

using enum next_step;

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

push_reply broken(reach how_far, transport_failure failure)
{
    push_reply reply;
    reply.reach = how_far;
    reply.failure = failure;
    return reply;
}

/// What the codes of WeChat's pages have to lead to, written down by outcome instead of by code.
struct expectation {
    next_step step;
    std::string_view reason;
    std::vector<int> codes;
};

const std::vector<expectation>& expectations()
{
    static const std::vector<expectation> list{
        {accept, "", {0, 45065}},
        {renew_token, "", {40001, 40014, 41001, 42001}},
        {retry, "", {-1, 61450, 1119003, 1119004, 9001002}},
        // Our credentials, our address, our requests.
        {retry, "", {40002, 40033, 40125, 40164, 40243, 40246, 40247, 41002, 41004, 42007, 43001, 43002,
                     43003, 44002, 45035, 47002, 48003, 48006, 61003, 61004, 61007, 61014, 61015, 61016,
                     61017, 61023, 61024, 89501, 89502, 89503, 89504, 89505, 89506, 89507}},
        {park_day, "quota_exhausted", {45009, 45040, 45093, 45104}},
        {park_minute, "rate_limited", {45011}},
        {park_recipient, "recipient_limited", {40241, 43108, 43117, 45047, 45066}},
        {halt_app, "app_halted", {50004, 50007}},
        {fail, "invalid_recipient", {40003, 43019, 46004, 70000}},
        {fail, "not_subscribed", {43004, 43005, 45015, 50005}},
        {fail, "refused_by_user", {43101, 48002}},
        {fail, "invalid_template", {40036, 40037, 43100, 43107, 43116, 45026, 45027, 48011}},
        {fail, "invalid_form_id", {41028, 41029}},
        {fail, "content_refused", {40249, 45168}},
        {fail,
         "not_permitted",
         {43104, 43106, 45087, 45094, 45102, 45103, 45109, 48001, 48004, 48008, 48009, 50001, 50002, 50003}},
        {fail, "invalid_data", {40004, 40005, 40006, 40007, 40008, 40013, 40035, 40038, 40039, 40048, 40062,
                                40066, 40165, 40166, 41009, 41030, 44001, 44003, 44004, 45001, 45002, 45003,
                                45004, 45005, 45006, 45007, 45008, 45012, 45013, 45014, 45051, 45067, 47001,
                                47003, 61451, 61452, 61453, 61454, 61455, 61456, 61457, 85107}},
    };
    return list;
}

class every_errcode : public testing::TestWithParam<expectation> {};

TEST_P(every_errcode, leads_to_its_documented_step)
{
    for (const int code : GetParam().codes) {
        const auto decided = classify(answer(code), false);
        EXPECT_EQ(decided.step, GetParam().step) << code;
        EXPECT_EQ(decided.reason, GetParam().reason) << code;
        EXPECT_TRUE(decided.known_code) << code;
    }
}

INSTANTIATE_TEST_SUITE_P(classify, every_errcode, testing::ValuesIn(expectations()));

TEST(classify, has_an_expectation_for_each_row_and_a_row_for_each_expectation)
{
    std::multiset<int> expected;
    for (const auto& row : expectations())
        expected.insert(row.codes.begin(), row.codes.end());
    std::multiset<int> rows;
    for (const auto& row : send_rules())
        rows.insert(row.errcode);
    EXPECT_EQ(rows, expected);
}

TEST(classify, fails_once_on_a_code_it_does_not_know)
{
    for (const int code : {1, 12345, 40000, 99999999, std::numeric_limits<int>::max(), -2}) {
        const auto decided = classify(answer(code), false);
        EXPECT_EQ(decided.step, fail) << code;
        EXPECT_EQ(decided.reason, "unknown_error") << code;
        EXPECT_FALSE(decided.known_code) << code;
        EXPECT_EQ(find_send_rule(code), nullptr);
    }
}

TEST(classify, takes_codes_that_may_echo_an_unknown_attempt_for_an_unknown_outcome)
{
    for (const auto& row : send_rules()) {
        const auto decided = classify(answer(row.errcode), true);
        const std::set<int> echoes{43101, 40241, 41029, 45047};
        if (echoes.contains(row.errcode)) {
            EXPECT_EQ(decided.step, fail) << row.errcode;
            EXPECT_EQ(decided.reason, "outcome_unknown") << row.errcode;
        } else {
            EXPECT_EQ(decided.step, row.step) << row.errcode;
        }
    }
}

TEST(classify, never_ends_a_job_for_credentials_or_quota)
{
    for (const int code : {40001, 40014, 42001, 41001, 40125, 40164, 40243, 45009, 45011, 45040, 45093, 45104, 50004,
                           50007, 61004, -1, 89501})
        EXPECT_NE(classify(answer(code), true).step, fail) << code;
}

TEST(classify, calls_for_a_person_where_waiting_mends_nothing)
{
    for (const int code : {40125, 40164, 43002, 47002, 44002, 50004, 61004})
        EXPECT_TRUE(classify(answer(code), false).needs_person) << code;
    for (const int code : {0, -1, 40001, 40003, 45009, 45011, 61450, 9001002})
        EXPECT_FALSE(classify(answer(code), false).needs_person) << code;
    EXPECT_TRUE(classify(http(412), false).needs_person);
    EXPECT_TRUE(classify(http(301), false).needs_person);
    EXPECT_FALSE(classify(http(429), false).needs_person);
    EXPECT_FALSE(classify(http(503), false).needs_person);
}

struct http_expectation {
    std::vector<int> statuses;
    next_step step;
    std::string_view reason;
};

class every_http_status : public testing::TestWithParam<http_expectation> {};

TEST_P(every_http_status, leads_to_its_documented_step)
{
    for (const int status : GetParam().statuses) {
        const auto decided = classify(http(status), false);
        EXPECT_EQ(decided.step, GetParam().step) << status;
        EXPECT_EQ(decided.reason, GetParam().reason) << status;
    }
}

INSTANTIATE_TEST_SUITE_P(
    classify, every_http_status,
    testing::Values(http_expectation{{301, 302, 303, 307, 308}, retry, ""},
                    http_expectation{{400, 401, 403, 404, 405, 408, 411, 412, 415, 429, 431}, retry, ""},
                    http_expectation{{413, 414}, fail, "invalid_data"},
                    http_expectation{{500, 501, 503, 505}, retry, ""},
                    http_expectation{{502, 504, 520, 522, 524, 599}, retry_unknown, "outcome_unknown"},
                    // Success that is not WeChat's JSON, and what no server should say.
                    http_expectation{{200, 204, 100, 0, -1, 1000}, retry_unknown, "outcome_unknown"}));

TEST(classify, decides_on_the_status_when_a_gateway_puts_a_code_of_its_own_behind_it)
{
    auto reply = http(502);
    reply.errcode = 0;
    EXPECT_EQ(classify(reply, false).step, retry_unknown);
    reply.http_status = 403;
    reply.errcode = 40003;
    EXPECT_EQ(classify(reply, false).step, retry);
}

TEST(classify, has_one_row_for_every_http_status)
{
    int next = 100;
    for (const auto& row : http_rules()) {
        EXPECT_EQ(row.first, next);
        EXPECT_LE(row.first, row.last);
        next = row.last + 1;
    }
    EXPECT_EQ(next, 1000);
}

TEST(classify, repeats_freely_only_what_cannot_have_been_sent)
{
    using enum transport_failure;
    for (const auto failure : {resolve, connect, tls, write, reset, timeout, cancelled}) {
        EXPECT_EQ(classify(broken(reach::not_sent, failure), false).step, retry);
        const auto unknown = classify(broken(reach::unknown, failure), false);
        EXPECT_EQ(unknown.step, retry_unknown);
        EXPECT_EQ(unknown.reason, "outcome_unknown");
    }
    EXPECT_EQ(classify(broken(reach::unknown, bad_answer), false).step, retry_unknown);
}

TEST(classify, says_only_documented_reasons)
{
    std::set<std::string_view> documented;
    std::set<std::pair<std::string_view, job_state>> rows;
    for (const auto& row : all_reasons()) {
        documented.insert(row.word);
        EXPECT_TRUE(rows.emplace(row.word, row.state).second) << row.word << " is listed twice";
    }
    for (const auto& row : send_rules())
        EXPECT_TRUE(row.reason.empty() || documented.contains(row.reason)) << row.errcode;
    for (const auto& row : http_rules())
        EXPECT_TRUE(row.reason.empty() || documented.contains(row.reason)) << row.first;
}

TEST(classify, gives_each_failing_row_a_reason_and_each_row_a_meaning)
{
    for (const auto& row : send_rules()) {
        EXPECT_TRUE(row.step != fail || !row.reason.empty()) << row.errcode;
        EXPECT_FALSE(row.meaning.empty()) << row.errcode;
        EXPECT_EQ(row.meaning.find('|'), std::string_view::npos) << "would break the page's table";
    }
}

struct token_expectation {
    token_step step;
    std::vector<int> codes;
};

class every_token_errcode : public testing::TestWithParam<token_expectation> {};

TEST_P(every_token_errcode, leads_to_its_documented_step)
{
    for (const int code : GetParam().codes) {
        const auto decided = classify_token_failure(code);
        EXPECT_EQ(decided.step, GetParam().step) << code;
        EXPECT_FALSE(decided.reason.empty()) << code;
    }
}

const std::vector<token_expectation>& token_expectations()
{
    static const std::vector<token_expectation> list{
        {token_step::retry, {-1}},
        {token_step::halt,
         {40001, 40002, 40013, 40125, 40164, 40243, 41002, 41004, 43002, 45035, 50004, 50007, 61004, 61024}},
        {token_step::park_minute, {45011}},
        {token_step::park_day, {45009, 89506}},
        {token_step::park_hour, {89507}},
        {token_step::park_ten_minutes, {89501, 89502, 89503, 89504, 89505}},
    };
    return list;
}

INSTANTIATE_TEST_SUITE_P(classify, every_token_errcode, testing::ValuesIn(token_expectations()));

TEST(classify_token_failure, has_an_expectation_for_each_row)
{
    std::size_t expected = 0;
    for (const auto& row : token_expectations())
        expected += row.codes.size();
    EXPECT_EQ(token_rules().size(), expected);
}

TEST(classify_token_failure, tries_again_without_an_answer_or_with_one_nobody_knows)
{
    EXPECT_EQ(classify_token_failure(std::nullopt).step, token_step::retry);
    EXPECT_EQ(classify_token_failure(std::nullopt).reason, "no_answer");
    EXPECT_EQ(classify_token_failure(12345).step, token_step::retry);
    EXPECT_EQ(classify_token_failure(12345).reason, "unknown_error");
}

TEST(classify_token_failure, tells_a_wrong_secret_from_a_wrong_address)
{
    EXPECT_EQ(classify_token_failure(40001).reason, "wrong_secret");
    EXPECT_EQ(classify_token_failure(40125).reason, "wrong_secret");
    EXPECT_EQ(classify_token_failure(40164).reason, "ip_not_allowed");
    EXPECT_EQ(classify_token_failure(50007).reason, "account_frozen");
}

TEST(find_rejected_ip, reads_both_forms_of_the_whitelist_answer)
{
    EXPECT_EQ(find_rejected_ip("invalid ip 203.0.113.7, not in whitelist rid: 1-2-3"), "203.0.113.7");
    EXPECT_EQ(find_rejected_ip("invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist"), "203.0.113.7");
    EXPECT_EQ(find_rejected_ip("invalid ip 2001:db8::1, not in whitelist"), "2001:db8::1");
    EXPECT_EQ(find_rejected_ip("invalid ip "), "");
    EXPECT_EQ(find_rejected_ip("invalid appsecret"), "");
}

} // namespace
} // namespace wxcourier::domain
