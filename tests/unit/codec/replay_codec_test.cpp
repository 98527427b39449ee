// SPDX-License-Identifier: Apache-2.0
#include "codec/dead_letter_codec.hpp"
#include "codec/replay_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wxcourier::codec {
namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

std::vector<header_view> views(const headers& from)
{
    return {from.begin(), from.end()};
}

headers letter_headers()
{
    return dead_letter_headers({.state = domain::job_state::failed,
                                .reason = "invalid_template",
                                .error = "invalid template_id",
                                .source = {"push.jobs", 3, 123},
                                .at = wall_time{milliseconds{1'795'335'330'123}},
                                .failed_recipients = {{0, 9}},
                                .unknown_recipients = {}});
}

TEST(replay_codec, reads_what_the_worker_wrote_of_a_letter)
{
    const auto letter = read_dead_letter(views(letter_headers()));
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->state, domain::job_state::failed);
    EXPECT_EQ(letter->reason, "invalid_template");
    EXPECT_EQ(letter->source, (domain::source_position{"push.jobs", 3, 123}));
    EXPECT_EQ(letter->at, wall_time{milliseconds{1'795'335'330'123}});
    EXPECT_EQ(letter->recipients, "0-9");
    EXPECT_FALSE(letter->truncated);
    EXPECT_FALSE(letter->unknown_outcome);
    EXPECT_EQ(letter->replays, 0);
}

TEST(replay_codec, the_letters_own_headers_stand_behind_the_producers)
{
    headers all{{"wxcourier.reason", "mine"}, {"wxcourier.replay", "2"}};
    for (auto& each : letter_headers())
        all.push_back(std::move(each));
    all.emplace_back("wxcourier.truncated", "1000000");
    all.emplace_back("wxcourier.unknown", "3");
    const auto letter = read_dead_letter(views(all));
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->reason, "invalid_template");
    EXPECT_EQ(letter->replays, 2);
    EXPECT_EQ(letter->truncated, 1'000'000U);
    EXPECT_TRUE(letter->unknown_outcome);
}

TEST(replay_codec, a_record_without_a_letters_headers_is_none)
{
    for (const auto* const missing : {"wxcourier.state", "wxcourier.reason", "wxcourier.source", "wxcourier.at"}) {
        auto some = letter_headers();
        std::erase_if(some, [missing](const auto& each) { return each.first == missing; });
        EXPECT_FALSE(read_dead_letter(views(some))) << missing;
    }
    for (const auto* const source : {"", "a", "a/1", "/1/2", "a//2", "a/1/", "a/-1/2", "a/1/x", "a/99999999999/2"}) {
        auto some = letter_headers();
        some.emplace_back("wxcourier.source", source);
        EXPECT_FALSE(read_dead_letter(views(some))) << source;
    }
}

TEST(replay_codec, a_replayed_job_says_how_often_and_to_whom)
{
    EXPECT_EQ(read_replay_note({}).replays, 0);
    const headers whole{{"wxcourier.replay", "1"}};
    EXPECT_EQ(read_replay_note(views(whole)).replays, 1);
    EXPECT_FALSE(read_replay_note(views(whole)).recipients);
    const headers some{{"wxcourier.replay", "2"}, {"wxcourier.recipients", "1,4-5"}};
    const auto note = read_replay_note(views(some));
    EXPECT_EQ(note.replays, 2);
    EXPECT_EQ(note.recipients, (std::vector<domain::index_range>{{1, 1}, {4, 5}}));
    EXPECT_FALSE(note.malformed);
}

TEST(replay_codec, recipients_that_cannot_be_read_are_told)
{
    for (const auto* const text : {"x", "1, 4", "5-4", "1,1", "-1", "1,"}) {
        const headers odd{{"wxcourier.replay", "1"}, {"wxcourier.recipients", text}};
        EXPECT_TRUE(read_replay_note(views(odd)).malformed) << text;
    }
}

TEST(replay_codec, without_a_replay_the_headers_are_the_producers_own)
{
    for (const auto* const text : {"", "0", "x", "-1", "1 ", "99999999999"}) {
        const headers odd{{"wxcourier.replay", text}, {"wxcourier.recipients", "nobody"}};
        const auto note = read_replay_note(views(odd));
        EXPECT_EQ(note.replays, 0) << text;
        EXPECT_FALSE(note.malformed) << text;
        EXPECT_FALSE(note.recipients) << text;
    }
}

TEST(replay_codec, a_block_of_the_memory_comes_back_as_it_went)
{
    domain::replay_memory memory;
    const auto name = memory.add(3, 12'345, wall_time{milliseconds{1'795'335'330'123}});
    memory.add(3, 12'300, wall_time{milliseconds{5}});
    EXPECT_EQ(encode_block_name(name), "3/3");
    EXPECT_EQ(decode_block_name("3/3"), name);
    const auto value = encode_block(memory.block(name));
    EXPECT_EQ(value, R"({"version":1,"offsets":"12300,12345","last_at":"2026-11-22T08:15:30.123Z"})");
    const auto block = decode_block(value);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->offsets.ranges(), memory.block(name).offsets.ranges());
    EXPECT_EQ(block->last_at, memory.block(name).last_at);
}

TEST(replay_codec, the_fullest_block_can_be_read)
{
    domain::replay_memory memory;
    domain::replay_block_name name;
    const std::int64_t first = domain::replay_block_size * 1'000'000'000'000;
    for (std::int64_t offset = 0; offset < domain::replay_block_size; offset += 2)
        name = memory.add(0, first + offset, {});
    EXPECT_TRUE(decode_block(encode_block(memory.block(name))));
}

TEST(replay_codec, what_is_no_block_is_none)
{
    for (const auto* const key : {"", "1", "/1", "1/", "a/1", "-1/1", "1/1/1"})
        EXPECT_FALSE(decode_block_name(key)) << key;
    for (const auto* const value :
         {"", "{}", R"({"version":2,"offsets":"1","last_at":"2026-11-22T08:15:30.123Z"})",
          R"({"version":1,"offsets":"2,1","last_at":"2026-11-22T08:15:30.123Z"})", R"({"version":1,"offsets":"1"})"})
        EXPECT_FALSE(decode_block(value)) << value;
}

} // namespace
} // namespace wxcourier::codec
