// SPDX-License-Identifier: Apache-2.0
#include "config/finding.hpp"

#include <gtest/gtest.h>

namespace wxcourier::config {
namespace {

TEST(Finding, IsShownWithItsPlace)
{
    EXPECT_EQ(to_string({3, 7, "x is wrong, expected y"}, "a.yaml"), "a.yaml:3:7: x is wrong, expected y");
}

TEST(Findings, AreSortedByPlaceAndStayInOrderWhereItIsTheSame)
{
    findings found;
    found.error({2, 1}, "c");
    found.error({1, 9}, "b");
    found.error({2, 1}, "d");
    found.error({1, 2}, "a");
    found.sort();
    const std::vector<finding> expected{{1, 2, "a"}, {1, 9, "b"}, {2, 1, "c"}, {2, 1, "d"}};
    EXPECT_EQ(found.errors, expected);
}

TEST(InQuotes, EscapesWhatATerminalWouldObey)
{
    EXPECT_EQ(in_quotes("plain"), R"("plain")");
    EXPECT_EQ(in_quotes("a\"b\\c\n\x1b[31m\x7f"), R"("a\"b\\c\x0a\x1b[31m\x7f")");
}

TEST(InQuotes, CutsBetweenCharacters)
{
    std::string sixty;
    for (int i = 0; i < 60; ++i)
        sixty += "é";
    EXPECT_EQ(in_quotes(sixty), '"' + sixty + '"');
    EXPECT_EQ(in_quotes(sixty + "é"), '"' + sixty + "…\"");
}

TEST(Alternatives, ReadAsASentence)
{
    EXPECT_EQ(alternatives({}), "");
    EXPECT_EQ(alternatives({"a"}), "a");
    EXPECT_EQ(alternatives({"a", "b"}), "a or b");
    EXPECT_EQ(alternatives({"a", "b", "c"}), "a, b or c");
}

TEST(Nearest, ForgivesAFewLettersTheCaseAndTheSeparators)
{
    const std::vector<std::string_view> keys{"request_timeout", "connect_timeout", "ca_file", "rate"};
    EXPECT_EQ(nearest("request_timout", keys), "request_timeout");
    EXPECT_EQ(nearest("requestTimeout", keys), "request_timeout");
    EXPECT_EQ(nearest("Request-Timeout", keys), "request_timeout");
    EXPECT_EQ(nearest("cafile", keys), "ca_file");
    EXPECT_EQ(nearest("raet", keys), "rate") << "swapped letters are one mistake";
}

TEST(Nearest, DoesNotGuess)
{
    const std::vector<std::string_view> keys{"rate", "name", "level"};
    EXPECT_EQ(nearest("colour", keys), "");
    EXPECT_EQ(nearest("xx", keys), "");
    EXPECT_EQ(nearest("", keys), "");
    EXPECT_EQ(nearest(std::string(100'000, 'x'), keys), "");
}

} // namespace
} // namespace wxcourier::config
