// SPDX-License-Identifier: Apache-2.0
#include "commands/plan.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace wxcourier::commands {
namespace {

using testing::HasSubstr;
using testing::Not;

struct outcome {
    int exit_code = -1;
    std::string out;
    std::string err;
};

outcome run(std::vector<std::string> arguments)
{
    CLI::App program{"wxcourier"};
    outcome result;
    add_plan(program, result.exit_code);
    std::ostringstream out;
    std::ostringstream err;
    auto* const standard_out = std::cout.rdbuf(out.rdbuf());
    auto* const standard_error = std::cerr.rdbuf(err.rdbuf());
    std::reverse(arguments.begin(), arguments.end());
    try {
        program.parse(arguments);
    } catch (const CLI::ParseError&) {
        result.exit_code = 2;
    }
    std::cout.rdbuf(standard_out);
    std::cerr.rdbuf(standard_error);
    result.out = out.str();
    result.err = err.str();
    return result;
}

std::string write_file(const std::string& name, const std::string& text)
{
    auto path = (std::filesystem::path(testing::TempDir()) / name).string();
    std::ofstream{path} << text;
    return path;
}

std::string configuration(const std::string& limits)
{
    return write_file("plan.yaml", "kafka: {bootstrap_servers: b}\n"
                                   "apps: [{name: shop, type: official_account, appid: wx0123456789abcdef, "
                                   "secret: {env: UNSET}, " +
                                       limits + "}]\n");
}

std::string job(int number, const std::string& more = "", const std::string& touser = "")
{
    const auto id = std::to_string(number);
    return R"({"id":"j)" + id + R"(","app":"shop","kind":"official.template","message":{"touser":")" +
           (touser.empty() ? "o" + id : touser) +
           R"(","template_id":"ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY","data":{"thing1":{"value":"x"}}})" + more +
           "}\n";
}

std::string jobs(int count)
{
    std::string text;
    for (int i = 0; i < count; ++i)
        text += job(i);
    return text;
}

const std::vector<std::string> from_nine{"--start", "2026-11-24T09:00:00Z"};

outcome plan(const std::string& limits, const std::string& lines, std::vector<std::string> more = {})
{
    std::vector<std::string> arguments{"plan", "-c", configuration(limits), write_file("plan.ndjson", lines)};
    arguments.insert(arguments.end(), from_nine.begin(), from_nine.end());
    if (std::find(more.begin(), more.end(), "--latency") == more.end())
        more.insert(more.end(), {"--latency", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(std::move(arguments));
}

TEST(plan, says_how_long_it_takes)
{
    const auto result = plan("rate: {per_second: 10, burst: 50}", jobs(650));
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.out, "650 messages of 650 jobs, from 2026-11-24T09:00:00.000Z, 1 replica, 0 s an answer\n"
                          "\n"
                          "app   messages  a second  takes  done at                   expire\n"
                          "shop  650       10        1 min  2026-11-24T09:01:00.000Z  0\n");
}

TEST(plan, counts_what_the_senders_can_do)
{
    const auto result =
        plan("rate: {per_second: 1000, burst: 1}, concurrency: 2", jobs(400), {"--latency", "100", "--replicas", "2"});
    EXPECT_THAT(result.out, HasSubstr("10 s")) << "two replicas with two requests of 100 ms each: 40/s\n" << result.out;
}

TEST(plan, names_lines_that_would_be_rejected)
{
    const auto result =
        plan("weight: 1", job(1) + "nonsense\n" + job(2) + "\n" +
                              R"({"id":"x","app":"other","kind":"official.template","message":{}})" + "\n");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("plan.ndjson:2: invalid_job: "));
    EXPECT_THAT(result.err, HasSubstr("plan.ndjson:5: unknown_app: "));
    EXPECT_THAT(result.out, HasSubstr("2 messages of 2 jobs"));
    EXPECT_THAT(result.out, HasSubstr("2 lines would be rejected"));
}

TEST(plan, names_lines_that_would_expire)
{
    std::string lines;
    for (int i = 0; i < 30; ++i)
        lines += job(i, R"(,"expire_at":"2026-11-24T09:00:02Z")");
    const auto result = plan("rate: {per_second: 10, burst: 1}", lines);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, Not(HasSubstr("plan.ndjson:20: ")));
    EXPECT_THAT(result.err, HasSubstr("plan.ndjson:23: expired: 1 message would not be sent in time"));
    EXPECT_THAT(result.err, HasSubstr("plan.ndjson:30: expired: "));
}

TEST(plan, says_when_a_quota_runs_out_and_the_rest_goes_on)
{
    const auto result = plan("rate: {per_second: 100, burst: 1}, quota: {daily: 100}", jobs(150));
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.out, HasSubstr("shop, official.template: the day's quota is used up at 2026-11-24T09:00:00.99"));
    EXPECT_THAT(result.out, HasSubstr("; 50 wait until 2026-11-24T16:00:00.000Z (00:00 UTC+8)\n"));
    EXPECT_THAT(result.out, HasSubstr("7 h"));
}

TEST(plan, spreads_what_one_recipient_gets)
{
    std::string lines;
    for (int i = 0; i < 5; ++i)
        lines += job(i, "", "somebody");
    const auto result = plan("per_recipient: {max: 2, window: 1h}", lines);
    EXPECT_THAT(result.out, HasSubstr("2026-11-24T11:00:00.000Z")) << result.out;
    EXPECT_THAT(result.out, HasSubstr("per_recipient"));
}

TEST(plan, speaks_json)
{
    const auto result = plan("rate: {per_second: 100, burst: 1}, quota: {daily: 100}", jobs(150) + "x\n", {"--json"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, HasSubstr(R"("jobs":150,"rejected":1,"apps":[{"app":"shop","jobs":150,"messages":150,)"
                                      R"("sent":150,"expired":0,"rate_per_second":100,)"));
    EXPECT_THAT(result.out, HasSubstr(R"("quota_stops":[{"kind":"official.template",)"));
    EXPECT_THAT(result.out, HasSubstr(R"("lines":[{"line":151,"state":"rejected","reason":"invalid_job","error":)"));
}

TEST(plan, ends_with_two_for_a_wrong_start_or_configuration)
{
    EXPECT_EQ(plan("weight: 1", jobs(1), {"--start", "tomorrow"}).exit_code, 2);
    EXPECT_EQ(plan("weight: 0", jobs(1)).exit_code, 2);
    EXPECT_EQ(run({"plan", "-c", configuration("weight: 1"), "/nonexistent/jobs"}).exit_code, 1);
}

} // namespace
} // namespace wxcourier::commands
