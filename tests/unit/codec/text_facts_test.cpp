// SPDX-License-Identifier: Apache-2.0
#include "codec/text_facts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::codec {
namespace {

TEST(text_facts, count_characters_not_bytes)
{
    EXPECT_EQ(examine("").characters, 0U);
    EXPECT_EQ(examine("abc").characters, 3U);
    EXPECT_EQ(examine("é中😀").characters, 3U);
    EXPECT_TRUE(examine("é中😀 ~").printable);
}

TEST(text_facts, tell_what_cannot_be_seen)
{
    for (const std::string text : {"\n", "\x1F", "\x7F", "\u0080", "\u009F", "\u200B", "\u200F", "\u2028", "\u202E",
                                   "\u2066", "\uFEFF", "\uFFFE", "\uFFFF"})
    {
        EXPECT_FALSE(examine("a" + text + "b").printable) << text;
        EXPECT_TRUE(examine("a" + text + "b").well_formed) << text;
    }
    for (const std::string text : {" ", "~", "\u00A0", "\u200A", "\u2010", "\u2070", "\uFFFD", "\U0001F600"})
        EXPECT_TRUE(examine("a" + text + "b").printable) << text;
    EXPECT_FALSE(examine(std::string_view{"\0", 1}).printable);
}

TEST(text_facts, tell_halves_of_surrogate_pairs)
{
    EXPECT_FALSE(examine("\xED\xA0\x80").well_formed);
    EXPECT_FALSE(examine("\xED\xBF\xBF").printable);
    EXPECT_TRUE(examine("\xED\x9F\xBF\xEE\x80\x80").well_formed);
}

} // namespace
} // namespace wxcourier::codec
