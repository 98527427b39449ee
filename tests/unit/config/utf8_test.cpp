// SPDX-License-Identifier: Apache-2.0
#include "config/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace wxcourier::config {
namespace {

TEST(Utf8, TakesWhatRfc3629Allows)
{
    for (const auto* text : {"", "ascii", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "微信"})
        EXPECT_FALSE(find_invalid_utf8(text)) << text;
}

TEST(Utf8, FindsTheFirstByteThatDoesNotBelong)
{
    const std::vector<std::pair<std::string, std::size_t>> cases{{"a\x80", 1},        // a continuation byte alone
                                                                 {"ab\xC3", 2},       // cut off
                                                                 {"\xC3(", 0},        // not continued
                                                                 {"\xC0\xAF", 0},     // overlong
                                                                 {"\xE0\x9F\xBF", 0}, // overlong
                                                                 {"\xED\xA0\x80", 0}, // a surrogate
                                                                 {"\xF0\x8F\xBF\xBF", 0},
                                                                 {"\xF4\x90\x80\x80", 0},
                                                                 {"\xF5\x80\x80\x80", 0},
                                                                 {"ok\xFF", 2},
                                                                 {"\xE4\xBF", 0}};
    for (const auto& [text, offset] : cases)
        EXPECT_EQ(find_invalid_utf8(text), offset);
}

TEST(Utf8, CountsCharacters)
{
    EXPECT_EQ(count_characters("é微x"), 3U);
}

} // namespace
} // namespace wxcourier::config
