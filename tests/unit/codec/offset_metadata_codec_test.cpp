// SPDX-License-Identifier: Apache-2.0
#include "codec/offset_metadata_codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace wxcourier::domain {

void PrintTo(const commit_progress& progress, std::ostream* out)
{
    const auto list = [out](const std::vector<index_range>& ranges) {
        for (const auto& range : ranges)
            *out << ' ' << range.first << '-' << range.last;
    };
    *out << "finished";
    list(progress.finished);
    if (progress.partial) {
        *out << "; partial " << progress.partial->offset << ':';
        list(progress.partial->finished);
        *out << " failed";
        list(progress.partial->failed);
    }
}

} // namespace wxcourier::domain

namespace wxcourier::codec {
namespace {

using domain::commit_progress;
using domain::index_range;
using domain::partial_job;

constexpr auto far_end = std::numeric_limits<std::int64_t>::max();

void expect_round_trip(std::int64_t committed, const commit_progress& progress)
{
    const auto text = encode_offset_metadata(committed, progress);
    EXPECT_TRUE(std::ranges::all_of(text, [](char byte) { return byte > 0x20 && byte < 0x7F; })) << text;
    const auto decoded = decode_offset_metadata(committed, text);
    ASSERT_TRUE(decoded) << text;
    ASSERT_EQ(*decoded, progress) << text;
}

TEST(offset_metadata, is_empty_without_progress)
{
    EXPECT_EQ(encode_offset_metadata(7, {}), "");
    EXPECT_EQ(decode_offset_metadata(7, ""), commit_progress{});
}

/// What releases have written must stay readable: none of these texts may ever change.
TEST(offset_metadata, reads_and_writes_the_texts_of_earlier_releases)
{
    const commit_progress ranges{.finished = {{102, 102}, {110, 1109}}, .partial = std::nullopt};
    EXPECT_EQ(encode_offset_metadata(100, ranges), "w1.orAgAG5wc");
    EXPECT_EQ(decode_offset_metadata(100, "w1.orAgAG5wc"), ranges);

    const commit_progress bitmap{.finished = {{102, 102}, {104, 104}, {106, 106}, {108, 109}}, .partial = std::nullopt};
    EXPECT_EQ(encode_offset_metadata(100, bitmap), "w1.obAtU");
    EXPECT_EQ(decode_offset_metadata(100, "w1.obAtU"), bitmap);

    const commit_progress partial{.finished = {{101, 101}},
                                  .partial = partial_job{.offset = 100, .finished = {{0, 9}}, .failed = {{4, 4}}}};
    EXPECT_EQ(encode_offset_metadata(100, partial), "w1.orAQA.prAAAJ.frBAA");
    EXPECT_EQ(decode_offset_metadata(100, "w1.orAQA.prAAAJ.frBAA"), partial);

    auto explained = partial;
    explained.partial->failed_for = "not_permitted";
    EXPECT_EQ(encode_offset_metadata(100, explained), "w1.orAQA.prAAAJ.frBAA.wtbm90X3Blcm1pdHRlZA");
    EXPECT_EQ(decode_offset_metadata(100, "w1.orAQA.prAAAJ.frBAA.wtbm90X3Blcm1pdHRlZA"), explained);
}

TEST(offset_metadata, takes_a_reason_it_does_not_know_for_none)
{
    const auto progress = decode_offset_metadata(100, "w1.prAAAJ.frBAA.wtbmV3X3JlYXNvbg"); // new_reason
    ASSERT_TRUE(progress && progress->partial);
    EXPECT_EQ(progress->partial->failed_for, "");
    EXPECT_EQ(decode_offset_metadata(100, "w1.prAAAJ.wtbmV3X3JlYXNvbg"), std::nullopt) << "nobody failed";
}

TEST(offset_metadata, holds_the_ends_of_the_offsets)
{
    expect_round_trip(0, {.finished = {{0, 0}}, .partial = {}});
    expect_round_trip(0, {.finished = {{0, far_end}}, .partial = {}});
    expect_round_trip(0, {.finished = {{far_end, far_end}}, .partial = {}});
    expect_round_trip(far_end - 3, {.finished = {{far_end - 3, far_end - 3}, {far_end - 1, far_end}}, .partial = {}});
    expect_round_trip(far_end, {.finished = {}, .partial = partial_job{far_end, {}, {}}});
    expect_round_trip(5, {.finished = {}, .partial = partial_job{far_end, {{0, 9'999}}, {{0, 9'999}}}});
}

TEST(offset_metadata, has_room_for_what_is_in_flight)
{
    commit_progress every_other;
    for (std::int64_t offset = 1; offset < 20'000; offset += 2)
        every_other.finished.push_back({offset, offset});
    EXPECT_LE(encode_offset_metadata(0, every_other).size(), longest_offset_metadata) << "the worst case for ranges";
    expect_round_trip(0, every_other);

    commit_progress far_apart;
    for (std::int64_t offset = 1000; offset < 1'000'000; offset += 1000)
        far_apart.finished.push_back({offset, offset + 10});
    EXPECT_LE(encode_offset_metadata(0, far_apart).size(), longest_offset_metadata) << "the worst case for bitmaps";
    expect_round_trip(0, far_apart);

    commit_progress fan_out{.finished = {}, .partial = partial_job{}};
    for (std::int64_t index = 0; index < 10'000; index += 2) {
        fan_out.partial->finished.push_back({index, index});
        if (index % 4 == 0)
            fan_out.partial->failed.push_back({index, index});
    }
    EXPECT_LE(encode_offset_metadata(0, fan_out).size(), longest_offset_metadata);
    expect_round_trip(0, fan_out);
}

TEST(offset_metadata, refuses_what_is_not_its_own)
{
    for (const std::string_view text : {" ",
                                        "w",
                                        "w1.",
                                        "w1x",
                                        "w2.orAQA",
                                        "W1.orAQA",
                                        "kafka",
                                        "{\"a\":1}",
                                        "w1.o",
                                        "w1.oxAQA",
                                        "w1.orAQA=",
                                        "w1.orA QA",
                                        "w1.orAQ+A",
                                        "w1.orA",
                                        "w1.orAQ",
                                        "w1.orAQB",
                                        "w1..orAQA",
                                        "w1.orAQA.",
                                        "w1.orAQA.orAQA",
                                        "w1.frAAA",
                                        "w1.prAAAJ.prAAAJ",
                                        "w1.prAAAJ.frBAA.frBAA",
                                        "w1.ob",
                                        "w1.pr"})
        EXPECT_FALSE(decode_offset_metadata(100, text)) << text;
    EXPECT_FALSE(decode_offset_metadata(-1, "w1.orAQA"));
}

TEST(offset_metadata, several_jobs_with_recipients_and_those_about_to_move_have_a_stable_form)
{
    commit_progress progress{.finished = {{101, 101}},
                             .partial = partial_job{.offset = 100, .finished = {{0, 9}}, .failed = {{4, 4}}}};
    progress.further = {partial_job{.offset = 102, .finished = {{1, 1}}}, partial_job{.offset = 105}};
    progress.moving = {{103, 104}};
    EXPECT_EQ(encode_offset_metadata(100, progress), "w1.orAQA.prAAAJ.frBAA.prAgEA.prBQ.mrAwE");
    expect_round_trip(100, progress);
    expect_round_trip(7, {.moving = {{7, 7}, {9, 2000}}});
    EXPECT_FALSE(decode_offset_metadata(100, "w1.prAgEA.prAAAJ")) << "in their order";
    EXPECT_FALSE(decode_offset_metadata(100, "w1.mrAwE.mrAwE"));
}

TEST(offset_metadata, passes_over_what_a_later_release_adds)
{
    const auto progress = decode_offset_metadata(100, "w1.orAQA.xrAQA.mrAwE");
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->finished, (std::vector<domain::index_range>{{101, 101}}));
    EXPECT_EQ(progress->moving, (std::vector<domain::index_range>{{103, 104}}));
}

/// A section's text from its bytes, by an encoder of the test's own.
std::string section(std::string_view letters, const std::vector<unsigned>& bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string bits;
    for (const auto byte : bytes)
        for (unsigned bit = 8; bit-- > 0;)
            bits += (byte >> bit & 1U) != 0 ? '1' : '0';
    bits.resize((bits.size() + 5) / 6 * 6, '0');
    std::string text = "w1." + std::string{letters};
    for (std::size_t i = 0; i < bits.size(); i += 6)
        text += digits[std::stoul(bits.substr(i, 6), nullptr, 2)];
    return text;
}

TEST(offset_metadata, refuses_numbers_beyond_an_offset)
{
    const std::vector<unsigned> largest{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
    auto from_largest = largest;
    from_largest.push_back(0);
    EXPECT_TRUE(decode_offset_metadata(0, section("or", from_largest)));
    EXPECT_FALSE(decode_offset_metadata(1, section("or", from_largest))) << "first runs over";

    std::vector<unsigned> to_largest{1};
    to_largest.insert(to_largest.end(), largest.begin(), largest.end());
    EXPECT_FALSE(decode_offset_metadata(0, section("or", to_largest))) << "last runs over";

    std::vector<unsigned> another{0};
    another.insert(another.end(), largest.begin(), largest.end());
    another.insert(another.end(), {0, 0});
    EXPECT_FALSE(decode_offset_metadata(0, section("or", another))) << "the gap behind runs over";

    std::vector<unsigned> ten_bytes(9, 0x80);
    ten_bytes.insert(ten_bytes.end(), {0x01, 0x00});
    EXPECT_FALSE(decode_offset_metadata(0, section("or", ten_bytes)));
    EXPECT_FALSE(decode_offset_metadata(0, section("or", {0x80}))) << "cut inside a number";
    EXPECT_FALSE(decode_offset_metadata(0, section("or", {0x01}))) << "half a range";

    auto high_bitmap = largest;
    high_bitmap.push_back(0xFF);
    EXPECT_FALSE(decode_offset_metadata(0, section("ob", high_bitmap)));
}

TEST(offset_metadata, refuses_recipients_no_job_has)
{
    EXPECT_TRUE(decode_offset_metadata(0, section("pr", {0, 0x8F, 0x4E, 0})));  // 9,999
    EXPECT_FALSE(decode_offset_metadata(0, section("pr", {0, 0x90, 0x4E, 0}))); // 10,000
    EXPECT_FALSE(decode_offset_metadata(0, "w1.prAAAJ.frCgA")) << "10 failed, of 0-9 finished";
}

TEST(offset_metadata, answers_with_ascending_ranges_to_any_bytes)
{
    std::mt19937 random{20261122};
    const auto any_byte = [&random] { return static_cast<unsigned>(random() & 0xFFU); };
    for (int i = 0; i < 20'000; ++i) {
        std::vector<unsigned> bytes(random() % 40);
        std::ranges::generate(bytes, any_byte);
        const auto progress = decode_offset_metadata(1000, section(i % 2 == 0 ? "or" : "ob", bytes));
        if (!progress)
            continue;
        std::int64_t free_from = 1000;
        for (const auto& range : progress->finished) {
            ASSERT_GE(range.first, free_from);
            ASSERT_GE(range.last, range.first);
            free_from = range.last < far_end - 1 ? range.last + 2 : far_end;
        }
    }
}

/// Random histories: how jobs of a partition finish out of order.
class history {
public:
    explicit history(std::uint32_t seed) : random_(seed) {}

    commit_progress next(std::int64_t committed)
    {
        commit_progress progress;
        progress.finished = ranges(committed, 1 + below(40), far_end);
        if (below(4) == 0) {
            partial_job partial{
                .offset = committed + below(1000), .finished = ranges(0, below(30), 9'999), .failed = {}};
            for (const auto& range : partial.finished)
                if (below(3) == 0)
                    partial.failed.push_back({range.first, range.first + below(range.last - range.first + 1)});
            progress.partial = std::move(partial);
        }
        return progress;
    }

    std::int64_t below(std::int64_t limit)
    {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
    }

private:
    std::vector<index_range> ranges(std::int64_t from, std::int64_t count, std::int64_t last)
    {
        std::vector<index_range> list;
        const std::int64_t gap = std::int64_t{1} << below(10);
        const std::int64_t length = std::int64_t{1} << below(10);
        for (; count > 0; --count) {
            const auto first = from + below(gap);
            const index_range range{first, first + below(length)};
            if (range.last > last)
                break;
            list.push_back(range);
            from = range.last + 2;
        }
        return list;
    }

    std::mt19937_64 random_;
};

TEST(offset_metadata, brings_back_any_history)
{
    const auto* const wanted = std::getenv("WXCOURIER_HISTORIES");
    const auto histories = wanted != nullptr ? std::strtol(wanted, nullptr, 10) : 100'000;
    history random{42};
    for (long i = 0; i < histories; ++i) {
        const auto committed = random.below(std::int64_t{1} << (1 + random.below(50)));
        ASSERT_NO_FATAL_FAILURE(expect_round_trip(committed, random.next(committed)));
    }
}

} // namespace
} // namespace wxcourier::codec
