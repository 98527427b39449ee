// SPDX-License-Identifier: Apache-2.0
#include "codec/json_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace wxcourier::codec {
namespace {

using namespace std::string_literals;

constexpr std::size_t no_limit = 64'000'000;

/// What is wrong with a text; `none` when nothing is.
std::string fault(std::string_view text, std::size_t longest = no_limit)
{
    json_document document;
    return document.parse(text, longest).value_or("none");
}

std::string written(std::string_view text)
{
    json_document document;
    if (const auto error = document.parse(text, no_limit))
        return *error;
    std::string out;
    append_json(out, document.root());
    return out;
}

std::string nested(std::size_t depth)
{
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(json_document, comes_back_word_for_word)
{
    const std::vector<std::string> texts{
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.0",
        "1e5",
        "1E+5",
        "-1.50e-300",
        "12345678901234567890",
        "123456789012345678901234567890.10",
        "128.74836467836484838364836483643636483648e-336",
        R"("")",
        R"("中文 😀 / ~")",
        R"([])",
        R"({})",
        R"([null,true,[[],{}],{"z":1,"a":{"b":[2]},"":""}])",
        R"("\"\\\b\f\n\r\t\u0000\u001f")",
    };
    for (const auto& text : texts)
        EXPECT_EQ(written(text), text);
}

TEST(json_document, finds_a_text_in_what_was_parsed_unless_an_escape_stands_there)
{
    const std::string parsed = R"({"plain":"openid","later":"after \u4e2d","escaped":"a\nb","number":12})";
    json_document document;
    ASSERT_EQ(document.parse(parsed, parsed.size()), std::nullopt);
    const auto root = document.root();
    const auto plain = root.find("plain").text_in(parsed);
    EXPECT_EQ(plain, "openid");
    EXPECT_EQ(plain.data(), parsed.data() + parsed.find("openid"));
    EXPECT_EQ(root.find("escaped").text(), "a\nb");
    EXPECT_EQ(root.find("escaped").text_in(parsed), "");
    EXPECT_EQ(root.find("later").text_in(parsed), "");
    EXPECT_EQ(root.find("plain").text_in("{}"), "") << "not what was parsed";
}

TEST(json_document, writes_raw_characters_and_no_white_space)
{
    EXPECT_EQ(written(R"( { "a" : [ 1 , 2 ] ,
        "b"	: "x" } )"),
              R"({"a":[1,2],"b":"x"})");
    EXPECT_EQ(written(R"("\u4e2d\u6587")"), R"("中文")");
    EXPECT_EQ(written(R"("\ud83d\ude00")"), R"("😀")");
    EXPECT_EQ(written(R"("http:\/\/a\u002Fb\u007f")"), "\"http://a/b\x7F\"");
    EXPECT_EQ(written(R"({"\u4e2d":"\u0041\u0022\u005C"})"), R"({"中":"A\"\\"})");
    EXPECT_EQ(written(R"("0123456789abcdef\u4e2d0123456789中文\n中文")"),
              R"("0123456789abcdef中0123456789中文\n中文")");
}

struct bad_text {
    std::string text;
    std::string error;
};

TEST(json_document, says_where_a_text_is_wrong)
{
    const std::vector<bad_text> table{
        {"", "byte 0: no JSON value"},
        {" \n", "byte 2: no JSON value"},
        {"\xEF\xBB\xBF{}", "byte 0: a byte order mark, expected the JSON value"},
        {"{\"a\":1}\0"s, "byte 7: a NUL byte"},
        {"{\"a\0b\":1}"s, "byte 3: a NUL byte"},
        {"{} {}", "byte 3: something behind the JSON value"},
        {"{}x", "byte 2: something behind the JSON value"},
        {"{\"a\":1,}", "byte 7: expected a member's name"},
        {"{\"a\" 1}", "byte 5: expected a colon behind the member's name"},
        {"{\"a\":1 \"b\":2}", "byte 7: expected a comma or } behind the member"},
        {"{\"a\":1", "byte 6: expected a comma or } behind the member"},
        {"[1 2]", "byte 3: expected a comma or ] behind the element"},
        {"[1,]", "byte 3: no JSON value"},
        {"{'a':1}", "byte 1: expected a member's name"},
        {"{\"a\":1 // why\n}", "byte 7: expected a comma or } behind the member"},
        {"NaN", "byte 0: no JSON value"},
        {"01", "byte 1: something behind the JSON value"},
        {"[1.]", "byte 3: expected a digit behind the point"},
        {"[1e]", "byte 3: expected a digit in the exponent"},
        {"1e400", "byte 0: a number beyond a double's range"},
        {"\"a", "byte 2: a string that does not end"},
        {"\"a\nb\"", "byte 2: a bad escape or a bare control character in a string"},
        {"\"a\x1F"
         "b\"",
         "byte 2: a bad escape or a bare control character in a string"},
        {R"("\x41")", "byte 1: a bad escape or a bare control character in a string"},
        {R"("\u12g4")", "byte 1: expected four hex digits behind \\u"},
        {R"("\ud83d")", "byte 1: half of a surrogate pair"},
        {R"("\ud83dx")", "byte 1: half of a surrogate pair"},
        {R"("\ud83d\u0041")", "byte 1: half of a surrogate pair"},
        {R"({"a":["x","\ude00"]})", "/a/1: half of a surrogate pair"},
        {R"({"\udc00":1})", "/\uFFFD: half of a surrogate pair"},
        {R"({"a":1,"b":{"c":0,"c":1}})", "/b/c: duplicate key"},
        {R"({"a":1,"\u0061":2})", "/a: duplicate key"},
        {R"([{"x/y~":1,"x/y~":2}])", "/0/x~1y~0: duplicate key"},
        {R"({"a\n":1,"a\n":2})", "/a\\u000a: duplicate key"},
    };
    for (const auto& [text, error] : table)
        EXPECT_EQ(fault(text), error) << text;
    EXPECT_EQ(fault("[1,2]", 4), "5 bytes, expected at most 4");
}

TEST(json_document, refuses_what_is_not_utf_8)
{
    const std::vector<std::string> sequences{"\x80",
                                             "\xC0\x80",
                                             "\xC1\xBF",
                                             "\xC2",
                                             "\xC2\x41",
                                             "\xE0\x80\x80",
                                             "\xE4\xB8",
                                             "\xE4\xB8\x41",
                                             "\xED\xA0\x80",
                                             "\xED\xBF\xBF",
                                             "\xF0\x80\x80\x80",
                                             "\xF0\x9F\x98",
                                             "\xF4\x90\x80\x80",
                                             "\xF5\x80\x80\x80",
                                             "\xFE",
                                             "\xFF"};
    for (const auto& sequence : sequences) {
        EXPECT_EQ(fault("[\"abc" + sequence + "\"]"), "byte 5: not UTF-8");
        EXPECT_EQ(fault("[\"0123456789中" + sequence + "\"]"), "byte 15: not UTF-8");
        // The end of the text comes before the sequence's.
        EXPECT_EQ(fault("[\"abc" + sequence), "byte 5: not UTF-8");
    }
    EXPECT_EQ(fault("\"\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80\""),
              "none");
}

TEST(json_document, bounds_the_depth_without_recursion)
{
    EXPECT_EQ(fault(nested(64)), "none");
    EXPECT_EQ(fault(nested(65)), "byte 64: nested deeper than 64");
    EXPECT_EQ(fault(std::string(1'000'000, '[')), "byte 64: nested deeper than 64");
    EXPECT_EQ(written(nested(64)), nested(64));
}

TEST(json_document, keeps_what_stood_before_the_depth_became_too_great)
{
    const auto too_deep = std::string(64, '[');
    json_document document;
    ASSERT_TRUE(document.parse(R"({"id":"a","list":[1,{"b":2,"c":)" + too_deep, no_limit));
    EXPECT_EQ(document.root().find("id").text(), "a");
    EXPECT_EQ(document.root().size(), 2U);
    EXPECT_EQ(document.root().find("list").size(), 2U);
    EXPECT_FALSE(document.root().find("list").find("b"));

    std::string members;
    for (int i = 0; i < 20; ++i)
        members += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ',';
    ASSERT_TRUE(document.parse("{" + members + "\"in\":{" + members + "\"x\":0},\"y\":" + too_deep, no_limit));
    EXPECT_EQ(document.root().size(), 22U);
    EXPECT_EQ(document.root().find("k7").integer(), 7);
    EXPECT_FALSE(document.root().find("x"));
    EXPECT_EQ(document.root().find("in").find("x").integer(), 0);
}

TEST(json_document, keeps_nothing_of_a_text_that_is_no_json)
{
    json_document document;
    for (const std::string_view text : {"", "{\"id\":\"a\"", "{\"id\":\"a\"} x", "[1,\"\xFF\"]"}) {
        ASSERT_TRUE(document.parse(text, no_limit));
        EXPECT_FALSE(document.root()) << text;
    }
    ASSERT_TRUE(document.parse(R"({"a":1,"a":2})", no_limit));
    EXPECT_EQ(document.root().size(), 2U);
}

TEST(json_document, finds_members_of_small_and_large_objects)
{
    for (const int members : {0, 1, 16, 17, 1000}) {
        std::string text = "[{\"other\":{\"x\":1}},{";
        for (int i = 0; i < members; ++i)
            text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i * 7 % 1000) + "\":" + std::to_string(i);
        json_document document;
        ASSERT_EQ(document.parse(text + "}]", no_limit), std::nullopt);
        const auto object = *std::next(document.root().children().begin());
        ASSERT_EQ(object.size(), static_cast<std::size_t>(members));
        for (int i = 0; i < members; ++i)
            EXPECT_EQ(object.find("k" + std::to_string(i * 7 % 1000)).integer(), i);
        EXPECT_FALSE(object.find("k"));
        EXPECT_FALSE(object.find("x"));
        EXPECT_FALSE(object.find("k1000"));
    }
}

TEST(json_document, reports_the_second_of_two_equal_keys_in_a_large_object)
{
    std::string text = "{";
    for (int i = 0; i < 50; ++i)
        text += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_EQ(fault(text + "\"k7\":{}}"), "/k7: duplicate key");
}

// 100,000 keys pair by pair would take minutes.
TEST(json_document, takes_a_hundred_thousand_keys_in_stride)
{
    std::string text = "{";
    for (int i = 0; i < 100'000; ++i)
        text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(fault(text + "}"), "none");
    EXPECT_EQ(fault(text + ",\"99999\":0}"), "/99999: duplicate key");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{20});
}

TEST(json_document, reads_integers_of_64_bits_only)
{
    const auto integer = [](std::string_view text) {
        json_document document;
        EXPECT_EQ(document.parse(text, no_limit), std::nullopt);
        return document.root().integer();
    };
    EXPECT_EQ(integer("9223372036854775807"), 9223372036854775807);
    EXPECT_EQ(integer("-1"), -1);
    EXPECT_EQ(integer("9223372036854775808"), std::nullopt);
    EXPECT_EQ(integer("1.0"), std::nullopt);
    EXPECT_EQ(integer("1e3"), std::nullopt);
    EXPECT_EQ(integer("\"1\""), std::nullopt);
}

TEST(json_document, cuts_long_pointers)
{
    std::string pointer;
    append_pointer_token(pointer, std::string(63, 'a') + "中中");
    EXPECT_EQ(pointer, "/" + std::string(63, 'a') + "…");
    for (int i = 0; i < 100; ++i)
        append_pointer_token(pointer, "0123456789");
    EXPECT_LT(pointer.size(), 200U);
    EXPECT_TRUE(pointer.ends_with("…"));
}

TEST(json_document, can_be_used_again_and_moved)
{
    json_document document;
    ASSERT_EQ(document.parse(R"({"a":"x"})", no_limit), std::nullopt);
    ASSERT_EQ(document.parse(R"(["b"])", no_limit), std::nullopt);
    const json_document moved = std::move(document);
    EXPECT_EQ((*moved.root().children().begin()).text(), "b");
    EXPECT_GT(moved.footprint(), 0U);
}

/// Behind an escape the whole text is RapidJSON's; without one it is the quick reader's. Every byte of a job is changed
/// to each of those that mean something.
TEST(json_document, has_two_readers_that_never_differ)
{
    const std::string job =
        R"( {"id":"a 1","n":[0,-1.50,true,false,null,[],{}],"m":{"touser":"o","中":"巅峰é😀"},"k":"~"} )";
    const std::string changes{"\"\\{}[],:0123-.eE+ \n\t\r\x1f\x01/abtfnu\x7f\x80\xBF\xC0\xC3\xE0\xE5\xED\xF0\xF4\xFF"};
    std::size_t taken = 0;
    const auto check = [&taken](const std::string& text) {
        json_document quick;
        json_document thorough;
        const bool refused = quick.parse("[\"n\"," + text + "]", 100'000).has_value();
        ASSERT_EQ(thorough.parse("[\"\\n\"," + text + "]", 100'000).has_value(), refused) << text;
        if (refused)
            return;
        ++taken;
        const auto written = [](const json_document& document) {
            std::string json;
            for (const auto element : document.root().children())
                append_json(json, element);
            return json.substr(json.find('"', 1));
        };
        EXPECT_EQ(written(quick), written(thorough)) << text;
        const std::string whole = "[\"n\"," + text + "]";
        for (const auto element : quick.root().children()) {
            if (element.is(json_type::object)) {
                const auto raw = element.raw(whole);
                EXPECT_TRUE(raw.starts_with('{') && raw.ends_with('}')) << raw;
            }
        }
    };
    for (std::size_t at = 0; at <= job.size(); ++at) {
        for (const char change : changes) {
            auto text = job;
            if (at < job.size())
                text[at] = change;
            check(text);
            text = job;
            text.insert(at, 1, change);
            check(text);
        }
        check(job.substr(0, at) + (at < job.size() ? job.substr(at + 1) : ""));
        check(job.substr(0, at));
    }
    EXPECT_GT(taken, 1'000U);
}

TEST(json_document, reads_every_character_and_no_other_by_either_reader)
{
    for (unsigned lead = 0x80; lead < 0x100; ++lead) {
        for (unsigned second = 0x70; second < 0x100; ++second) {
            for (const std::string& rest : {std::string{}, std::string{"\x80"}, std::string{"\xBF\x80"}}) {
                const std::string text =
                    std::string{"[\""} + static_cast<char>(lead) + static_cast<char>(second) + rest + "\"";
                json_document quick;
                json_document thorough;
                EXPECT_EQ(quick.parse(text + ",\"n\"]", 1'000).has_value(),
                          thorough.parse(text + ",\"\\n\"]", 1'000).has_value())
                    << lead << ' ' << second << ' ' << rest.size();
            }
        }
    }
}

TEST(json_document, reads_a_member_that_is_a_number_which_fits)
{
    json_document document;
    ASSERT_FALSE(document.parse(R"({"a":200,"b":-1,"c":"1","d":1.5})", 1000));
    std::uint8_t small = 7;
    EXPECT_TRUE(read_number(document.root(), "a", small));
    EXPECT_EQ(small, 200);
    for (const auto* const name : {"b", "c", "d", "missing"})
        EXPECT_FALSE(read_number(document.root(), name, small)) << name;
    std::int8_t narrow = 7;
    EXPECT_FALSE(read_number(document.root(), "a", narrow));
    EXPECT_TRUE(read_number_if_there(document.root(), "missing", narrow));
    EXPECT_FALSE(read_number_if_there(document.root(), "c", narrow));
    EXPECT_EQ(narrow, 7) << "what cannot be read changes nothing";
}

} // namespace
} // namespace wxcourier::codec
