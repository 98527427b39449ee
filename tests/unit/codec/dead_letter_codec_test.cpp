// SPDX-License-Identifier: Apache-2.0
#include "codec/dead_letter_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
            .failed_recipients = {}};
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
