// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::codec {
namespace {

std::string cleaned(std::string_view text, std::size_t limit = 1000)
{
    std::string out;
    append_utf8(out, text, limit);
    return out;
}

std::string quoted(std::string_view text, std::size_t limit = 1000)
{
    std::string out;
    append_clean_json_string(out, text, limit);
    return out;
}

TEST(utf8, knows_well_formed_sequences)
{
    EXPECT_EQ(utf8_sequence("a"), 1U);
    EXPECT_EQ(utf8_sequence("é"), 2U);
    EXPECT_EQ(utf8_sequence("微信"), 3U);
    EXPECT_EQ(utf8_sequence("😀"), 4U);
    EXPECT_EQ(utf8_sequence("\xED\x9F\xBF"), 3U) << "the last before the surrogates";
    EXPECT_EQ(utf8_sequence("\xF4\x8F\xBF\xBF"), 4U) << "U+10FFFF";
}

TEST(utf8, refuses_what_unicode_refuses)
{
    for (const std::string_view text :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE5\xBE", "\xE5(\x80",
          "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x9F\x98", "\xFF"})
        EXPECT_EQ(utf8_sequence(text), 0U) << quoted(text);
}

TEST(utf8, agrees_with_an_independent_decoder_on_every_scalar_value)
{
    for (std::uint32_t code = 0x80; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 61) {
        const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
        std::string text;
        if (code < 0x800)
            text = {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
        else if (code < 0x10000)
            text = {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
        else
            text = {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
                    byte(0x80 | (code & 0x3F))};
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        ASSERT_EQ(utf8_sequence(text), surrogate ? 0U : text.size()) << std::hex << code;
    }
}

TEST(append_utf8, replaces_bytes_that_are_no_text)
{
    EXPECT_EQ(cleaned("ok 微\xFF信"), "ok 微\uFFFD信");
    EXPECT_EQ(cleaned("cut \xE5\xBE"), "cut \uFFFD\uFFFD");
}

TEST(append_utf8, cuts_at_a_characters_boundary)
{
    EXPECT_EQ(cleaned("微信微信", 7), "微信");
    EXPECT_EQ(cleaned("abc", 3), "abc");
    EXPECT_EQ(cleaned("abcd", 3), "abc");
    EXPECT_EQ(cleaned("\xFF\xFF", 4), "\uFFFD");
}

TEST(append_clean_json_string, escapes_what_json_asks_for_and_nothing_else)
{
    EXPECT_EQ(quoted("plain"), "\"plain\"");
    EXPECT_EQ(quoted(""), "\"\"");
    EXPECT_EQ(quoted("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    EXPECT_EQ(quoted("1\n2\r3\t4\x01"
                     "5\x1F"),
              "\"1\\n2\\r3\\t4\\u00015\\u001f\"");
    EXPECT_EQ(quoted(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
    EXPECT_EQ(quoted("订单 😀 \x7F"), "\"订单 😀 \x7F\"");
}

TEST(append_clean_json_string, replaces_and_cuts_like_append_utf8)
{
    for (const std::string_view text : {"微信微信",
                                        "ab\xFF"
                                        "cd",
                                        "plain ascii", "é\xC3", "x\"y\n"})
        for (std::size_t limit = 0; limit < 16; ++limit) {
            std::string expected;
            append_clean_json_string(expected, cleaned(text, limit));
            EXPECT_EQ(quoted(text, limit), expected) << limit;
        }
}

} // namespace
} // namespace wxcourier::codec
