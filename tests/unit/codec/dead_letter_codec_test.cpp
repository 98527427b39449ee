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
            .unknown_recipients = {}};
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
    for (const auto& [name, value] : dead_letter_headers(all))
        EXPECT_TRUE(gives_way_in_dead_letter(name)) << name;
    EXPECT_TRUE(gives_way_in_dead_letter("wxcourier.truncated"));
    EXPECT_FALSE(gives_way_in_dead_letter("wxcourier.replay"));
    EXPECT_FALSE(gives_way_in_dead_letter("x-mine"));
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
