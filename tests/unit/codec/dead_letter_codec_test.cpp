// SPDX-License-Identifier: Apache-2.0
// The golden file is what tests/system/test_schemas_status.py holds to config/schema/asyncapi.yaml.
#include "codec/dead_letter_codec.hpp"
#include "codec/utf8.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace wxcourier::codec {
namespace {

using testing::ElementsAre;
using testing::Pair;

dead_letter_note note()
{
    return {.state = domain::job_state::failed,
            .reason = "invalid_template",
            .error = "invalid template_id",
            .source = {"push.jobs", 3, 1234567890123},
            .at = wall_time{milliseconds{1'795'335'330'123}},
            .failed_recipients = {},
            .unknown_recipients = {},
            .attempts = nullptr,
            .attempts_at = {}};
}

TEST(dead_letter_headers, say_why_where_and_when)
{
    EXPECT_THAT(dead_letter_headers(note()),
                ElementsAre(Pair("wxcourier.state", "failed"), Pair("wxcourier.reason", "invalid_template"),
                            Pair("wxcourier.error", "invalid template_id"),
                            Pair("wxcourier.source", "push.jobs/3/1234567890123"),
                            Pair("wxcourier.at", "2026-11-22T08:15:30.123Z")));
}

TEST(dead_letter_headers, name_failed_recipients_as_ranges)
{
    auto with_recipients = note();
    with_recipients.failed_recipients = {{0, 99}, {731, 731}, {800, 801}};
    EXPECT_EQ(dead_letter_headers(with_recipients).back(),
              std::pair(std::string{"wxcourier.recipients"}, std::string{"0-99,731,800-801"}));
}

TEST(dead_letter_headers, name_recipients_that_may_have_got_their_message)
{
    auto unsure = note();
    unsure.failed_recipients = {{0, 99}};
    unsure.unknown_recipients = {{3, 4}};
    EXPECT_EQ(dead_letter_headers(unsure).back(), std::pair(std::string{"wxcourier.unknown"}, std::string{"3-4"}));
}

TEST(dead_letter_headers, take_the_place_of_a_jobs_headers_of_the_same_name)
{
    auto all = note();
    all.failed_recipients = {{0, 1}};
    all.unknown_recipients = {{0, 1}};
    const domain::attempt_log log;
    all.attempts = &log;
    for (const auto& [name, value] : dead_letter_headers(all))
        EXPECT_TRUE(gives_way_in_dead_letter(name)) << name;
    EXPECT_TRUE(gives_way_in_dead_letter("wxcourier.truncated"));
    EXPECT_FALSE(gives_way_in_dead_letter("wxcourier.replay"));
    EXPECT_FALSE(gives_way_in_dead_letter("x-mine"));
}

domain::push_reply busy(milliseconds latency)
{
    domain::push_reply reply;
    reply.reach = domain::reach::answered;
    reply.http_status = 200;
    reply.errcode = -1;
    reply.latency = latency;
    return reply;
}

/// An answer of each sort.
domain::attempt_log three_attempts()
{
    domain::attempt_log log;
    const wall_time began{milliseconds{1'795'335'330'123}};
    log.add(busy(milliseconds{35}), began, 1);
    domain::push_reply reply;
    reply.http_status = 503;
    log.add(reply, began + milliseconds{250}, 2);
    reply.http_status = 0;
    reply.failure = domain::transport_failure::timeout;
    reply.latency = milliseconds{10'000};
    log.add(reply, began + seconds{2}, 3);
    return log;
}

TEST(dead_letter_headers, hold_the_attempts)
{
    const auto log = three_attempts();
    auto failed = note();
    failed.attempts = &log;
    EXPECT_EQ(dead_letter_headers(failed).back(),
              std::pair(std::string{"wxcourier.attempts_log"},
                        std::string{R"({"attempts":3,"log":[)"
                                    R"({"at":"2026-11-22T08:15:30.123Z","latency_ms":35,"errcode":-1},)"
                                    R"({"at":"2026-11-22T08:15:30.373Z","latency_ms":0,"http_status":503},)"
                                    R"({"at":"2026-11-22T08:15:32.123Z","latency_ms":10000,"failure":"timeout"}]})"}));
}

TEST(dead_letter_headers, say_how_many_attempts_are_left_out_and_whose_they_are)
{
    domain::attempt_log log;
    for (int i = 1; i <= 400; ++i)
        log.add(busy(milliseconds{i}), wall_time{seconds{i}}, i + 100); // a hundred before a restart
    auto failed = note();
    failed.attempts = &log;
    failed.attempts_at = 7;
    const auto text = dead_letter_headers(failed).back().second;
    EXPECT_THAT(text, testing::StartsWith(R"({"attempts":500,"left_out":485,"recipient":7,"log":[)"));
    EXPECT_LT(text.size(), 1500U);
}

/// Headers as one line of JSON.
std::string in_json(const std::vector<std::pair<std::string, std::string>>& headers)
{
    std::string json;
    for (const auto& [name, value] : headers) {
        json += json.empty() ? "{" : ",";
        append_clean_json_string(json, name);
        json += ':';
        append_clean_json_string(json, value);
    }
    return json + "}\n";
}

TEST(dead_letter_headers, say_what_their_golden_file_says)
{
    const char* const golden_path = WXCOURIER_SOURCE_DIR "/tests/golden/dead_letter_headers.ndjson";
    auto rejected = note();
    rejected.state = domain::job_state::rejected;
    rejected.reason = "invalid_job";
    rejected.error = "/message/touser: missing";
    auto with_recipients = note();
    with_recipients.failed_recipients = {{0, 99}, {731, 731}};
    with_recipients.unknown_recipients = {{731, 731}};
    const auto log = three_attempts();
    with_recipients.attempts = &log;
    with_recipients.attempts_at = 731;
    const auto lines = in_json(dead_letter_headers(rejected)) + in_json(dead_letter_headers(with_recipients));
    if (std::getenv("WXCOURIER_WRITE_GOLDEN") != nullptr)
        std::ofstream{golden_path} << lines;
    std::ostringstream golden;
    golden << std::ifstream{golden_path}.rdbuf();
    EXPECT_EQ(golden.str(), lines);
}

TEST(dead_letter_headers, cut_the_error_at_a_characters_boundary)
{
    auto wordy = note();
    std::string text = "x";
    for (int i = 0; i < 200; ++i)
        text += "信";
    wordy.error = text;
    const auto error = dead_letter_headers(wordy)[2].second;
    EXPECT_EQ(error, text.substr(0, 256)) << "256 = 1 + 85 * 3";
    wordy.error = "broken \xFF";
    EXPECT_EQ(dead_letter_headers(wordy)[2].second, "broken \uFFFD");
}

} // namespace
} // namespace wxcourier::codec
