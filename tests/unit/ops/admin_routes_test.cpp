// SPDX-License-Identifier: Apache-2.0
#include "common/log.hpp"
#include "ops/admin_routes.hpp"
#include "tests/support/manual_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace wxcourier::ops {
namespace {

namespace asio = boost::asio;

using action = admin_call::action;
using engine::operator_scope;
using testing::HasSubstr;

http_question request(std::string method, std::string path, std::string query = {}, std::string body = {})
{
    http_question question;
    question.method = std::move(method);
    question.path = std::move(path);
    question.query = std::move(query);
    question.body = std::move(body);
    question.peer = "10.0.0.7";
    return question;
}

admin_call call_of(const http_question& question)
{
    auto read = read_admin_call(question);
    const auto* const call = std::get_if<admin_call>(&read);
    EXPECT_NE(call, nullptr) << question.method << ' ' << question.path;
    return call == nullptr ? admin_call{} : *call;
}

http_reply refusal_of(const http_question& question)
{
    auto read = read_admin_call(question);
    const auto* const refusal = std::get_if<http_reply>(&read);
    EXPECT_NE(refusal, nullptr) << question.method << ' ' << question.path;
    return refusal == nullptr ? http_reply{} : *refusal;
}

TEST(AdminRoutes, APathNamesWhatItIsAbout)
{
    using domain::pause_target;
    const struct {
        const char* path;
        action what;
        pause_target target;
    } rows[] = {
        {"/pause", action::pause, {}},
        {"/resume", action::resume, {}},
        {"/apps/shop/pause", action::pause, {"shop", {}, {}}},
        {"/apps/shop/resume", action::resume, {"shop", {}, {}}},
        {"/apps/my%20shop/pause", action::pause, {"my shop", {}, {}}},
        {"/kinds/official.custom/pause", action::pause, {{}, "official.custom", {}}},
        {"/apps/shop/kinds/official.custom/resume", action::resume, {"shop", "official.custom", {}}},
        {"/templates/TM-1/pause", action::pause, {{}, {}, "TM-1"}},
        {"/apps/shop/templates/TM%2F1/pause", action::pause, {"shop", {}, "TM/1"}},
        {"/apps/shop/token/refresh", action::refresh, {"shop", {}, {}}},
        {"/token/refresh", action::refresh, {}},
        {"/drain", action::drain, {}},
    };
    for (const auto& row : rows) {
        const auto call = call_of(request("POST", row.path));
        EXPECT_EQ(call.what, row.what) << row.path;
        EXPECT_EQ(call.target, row.target) << row.path;
        EXPECT_EQ(call.scope, operator_scope::group) << row.path;
    }
    EXPECT_EQ(call_of(request("GET", "/apps")).what, action::list);
    EXPECT_EQ(call_of(request("POST", "/pause", "scope=instance")).scope, operator_scope::instance);
    EXPECT_EQ(call_of(request("POST", "/pause", "scope=group")).scope, operator_scope::group);
}

TEST(AdminRoutes, WhatIsNoCallIsRefusedWithItsReason)
{
    for (const char* path : {"/", "/app", "/apps/", "/apps//pause", "/apps/shop", "/apps/shop/paus",
                             "/apps/shop/pause/", "/apps/%zz/pause", "/apps/a%00b/pause", "/kinds/official.custom/rate",
                             "/kinds/official.custom/templates/T/pause", "/rate"})
        EXPECT_EQ(refusal_of(request("POST", path)).status, 404) << path;
    EXPECT_EQ(refusal_of(request("POST", "/apps/" + std::string(200, 'a') + "/pause")).status, 404);
    EXPECT_EQ(refusal_of(request("POST", "/kinds/official.nothing/pause")).status, 404);
    const auto wrong_method = refusal_of(request("GET", "/apps/shop/pause"));
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_THAT(wrong_method.headers, testing::Contains(testing::Pair("Allow", "POST")));
    EXPECT_EQ(refusal_of(request("POST", "/apps")).status, 405);
    EXPECT_EQ(refusal_of(request("POST", "/pause", "scope=all")).status, 400);
    EXPECT_EQ(refusal_of(request("POST", "/pause", {}, "{}")).status, 400);
}

TEST(AdminRoutes, ARateIsRead)
{
    const auto call = call_of(request("PUT", "/apps/shop/rate", {}, R"({"per_second":50,"burst":null})"));
    EXPECT_EQ(call.rate, (domain::rate_patch{.per_second = 50.0, .burst = std::optional<double>{}, .concurrency = {}}));
    EXPECT_EQ(call.rate.applied_to({1, 2, 3}), (domain::rate_override{50, std::nullopt, 3}));
    for (const char* body : {"", "7", "{}", "[]", R"({"per_second":0})", R"({"per_second":"50"})", R"({"rate":1})",
                             R"({"per_second":1e9})", R"({"burst":0.5})", R"({"concurrency":0})",
                             R"({"concurrency":1.5})", R"({"per_second":1,"per_second":2})"})
    {
        const auto refusal = refusal_of(request("PUT", "/apps/shop/rate", {}, body));
        EXPECT_EQ(refusal.status, 400) << body;
        EXPECT_THAT(refusal.body, HasSubstr("\"error\":")) << body;
    }
}

TEST(AdminRoutes, AnOperatorIsNamedByHeaderAndAddress)
{
    auto question = request("POST", "/pause");
    EXPECT_EQ(call_of(question).by, "10.0.0.7");
    question.operator_name = "alice";
    EXPECT_EQ(call_of(question).by, "alice@10.0.0.7");
    question.operator_name = "a b\x1b[31m\n" + std::string(100, 'x');
    EXPECT_EQ(call_of(question).by, "a_b_[31m_" + std::string(31, 'x') + "@10.0.0.7");
}

class AdminGate : public testing::Test {
protected:
    AdminGate() { log::configure(log::level::off, log::format::text); }
    http_question with(std::string authorization)
    {
        auto question = request("POST", "/pause");
        question.authorization = std::move(authorization);
        return question;
    }
    /// When the answer came, and which; as a listener would wait for it.
    std::shared_ptr<std::optional<http_reply>> ask(const std::string& authorization)
    {
        auto came = std::make_shared<std::optional<http_reply>>();
        auto reply = gate.answer(with(authorization));
        if (!reply.later) {
            *came = std::move(reply);
            return came;
        }
        asio::co_spawn(loop, reply.later(),
                       [came](const std::exception_ptr&, http_reply late) { *came = std::move(late); });
        time.settle();
        return came;
    }

    boost::asio::io_context loop;
    test::manual_clock time{loop};
    metrics_registry metrics;
    int performed = 0;
    admin_gate gate{secret("a-token-of-20-letters"),
                    [this](admin_call /*call*/) -> boost::asio::awaitable<http_reply> {
                        ++performed;
                        co_return admin_reply(200, "{}\n");
                    },
                    time, metrics};

    double count(const char* result) { return metrics["wxcourier_admin_requests_total"].with({result}).value(); }
};

TEST_F(AdminGate, TheRightTokenIsLetInAtOnce)
{
    const auto came = ask("Bearer a-token-of-20-letters");
    ASSERT_TRUE(came->has_value());
    EXPECT_EQ((*came)->status, 200);
    EXPECT_EQ(performed, 1);
    EXPECT_EQ(count("done"), 1);
}

TEST_F(AdminGate, EverythingElseIsRefusedLateAndCounted)
{
    for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer a-token-of-20-letter", "Bearer a-token-of-20-letters2",
                              "bearer a-token-of-20-letters", "a-token-of-20-letters", "Basic YTph"})
    {
        const auto came = ask(wrong);
        EXPECT_FALSE(came->has_value()) << "at once: " << wrong;
        time.advance(admin_gate::longest_delay);
        ASSERT_TRUE(came->has_value()) << wrong;
        EXPECT_EQ((*came)->status, 401) << wrong;
    }
    EXPECT_EQ(performed, 0);
    EXPECT_EQ(count("unauthorized"), 8);
}

TEST_F(AdminGate, RefusalsGetSlowerAndTheRightTokenDoesNotWait)
{
    const auto first = ask("Bearer wrong");
    time.advance(admin_gate::first_delay);
    EXPECT_TRUE(first->has_value());
    const auto second = ask("Bearer wrong");
    time.advance(admin_gate::first_delay);
    EXPECT_FALSE(second->has_value());
    EXPECT_TRUE(ask("Bearer a-token-of-20-letters")->has_value());
    time.advance(admin_gate::first_delay);
    EXPECT_TRUE(second->has_value());
}

TEST_F(AdminGate, OnlySoManyWait)
{
    std::vector<std::shared_ptr<std::optional<http_reply>>> asked;
    for (std::size_t i = 0; i < admin_gate::most_waiting; ++i)
        asked.push_back(ask("Bearer wrong"));
    const auto next = ask("Bearer wrong");
    ASSERT_TRUE(next->has_value());
    EXPECT_EQ((*next)->status, 429);
    EXPECT_TRUE(ask("Bearer a-token-of-20-letters")->has_value());
    gate.stop();
    time.settle();
    for (const auto& each : asked)
        EXPECT_TRUE(each->has_value());
}

TEST_F(AdminGate, AChangedTokenReplacesTheOldOne)
{
    gate.use_token(secret("another-token-of-mine"));
    EXPECT_TRUE(ask("Bearer another-token-of-mine")->has_value());
    EXPECT_FALSE(ask("Bearer a-token-of-20-letters")->has_value());
    gate.stop();
    time.settle();
}

} // namespace
} // namespace wxcourier::ops
