// SPDX-License-Identifier: Apache-2.0
#include "codec/rapidjson.hpp"
#include "common/log.hpp"
#include "common/rfc3339.hpp"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <random>

namespace wxcourier::log {
namespace {

class log_line : public testing::Test {
public:
    ~log_line() override { configure(level::info, format::text); }

protected:
    /// The line that a call writes, without its line feed.
    template <typename F>
    static std::string line_of(F write_it)
    {
        testing::internal::CaptureStderr();
        write_it();
        auto line = testing::internal::GetCapturedStderr();
        if (!line.empty() && line.back() == '\n')
            line.pop_back();
        return line;
    }

    static std::string text_with(std::string_view value)
    {
        configure(level::info, format::text);
        return line_of([value] { info("test", "something happened", {{"value", value}}); });
    }

    static rapidjson::Document json_with(std::string_view value)
    {
        configure(level::info, format::json);
        const auto line = line_of([value] { info("test", value, {{"value", value}}); });
        EXPECT_EQ(line.find('\n'), std::string::npos) << "one line stays one line";
        rapidjson::Document document;
        document.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
        EXPECT_FALSE(document.HasParseError()) << line;
        return document;
    }
};

TEST_F(log_line, text_has_time_level_component_message_and_fields)
{
    configure(level::info, format::text);
    const auto line = line_of([] {
        warn("committer", "commit refused", {{"topic", "push.jobs"}, {"partition", 3}, {"share", 0.5}, {"n", -7}});
    });
    EXPECT_TRUE(parse_rfc3339(line.substr(0, line.find(' ')))) << line;
    EXPECT_TRUE(line.ends_with(" warn  committer: commit refused topic=push.jobs partition=3 share=0.5 n=-7")) << line;
}

TEST_F(log_line, text_quotes_and_escapes_what_could_break_it)
{
    EXPECT_TRUE(text_with("plain").ends_with(" value=plain"));
    EXPECT_TRUE(text_with("").ends_with(R"( value="")"));
    EXPECT_TRUE(text_with("two words").ends_with(R"( value="two words")"));
    EXPECT_TRUE(text_with("a=b").ends_with(R"( value="a=b")"));
    EXPECT_TRUE(text_with("say \"x\" \\").ends_with(R"( value="say \"x\" \\")"));
    EXPECT_TRUE(text_with("line\nline").ends_with(R"( value="line\nline")"));
    EXPECT_TRUE(text_with("\x1b[31mred").ends_with(R"( value="\u001b[31mred")")) << text_with("\x1b[31mred");
    EXPECT_TRUE(text_with("\xc2\x9b"
                          "31mred")
                    .ends_with(R"( value=\u009b31mred)"))
        << "an 8-bit terminal's escape";
    EXPECT_TRUE(text_with("微信").ends_with(" value=微信"));
    EXPECT_TRUE(text_with("a\u202Eb\u2066c\u2028d").ends_with(R"( value=a\u202eb\u2066c\u2028d)"))
        << "text turned around";
    EXPECT_TRUE(text_with("…“”").ends_with(" value=…“”")) << "their neighbours stay";
}

TEST_F(log_line, bytes_that_are_no_utf8_are_replaced)
{
    for (const std::string_view bad :
         {"\xff", "\xc3", "\xe4\xbd", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\x80"})
    {
        const auto line = text_with(std::string("a") + std::string(bad) + "b");
        EXPECT_NE(line.find("a\xef\xbf\xbd"), std::string::npos) << line;
        EXPECT_TRUE(line.ends_with("b")) << line;
    }
}

TEST_F(log_line, json_is_json_whatever_the_value)
{
    const auto document = json_with("say \"x\"\n\t\x1b\\ 微信");
    EXPECT_STREQ(document["level"].GetString(), "info");
    EXPECT_STREQ(document["component"].GetString(), "test");
    EXPECT_STREQ(document["message"].GetString(), "say \"x\"\n\t\x1b\\ 微信");
    EXPECT_STREQ(document["value"].GetString(), "say \"x\"\n\t\x1b\\ 微信");
    std::mt19937 random(3);
    for (int i = 0; i < 300; ++i) {
        std::string garbage(random() % 40, ' ');
        for (auto& c : garbage)
            c = static_cast<char>(random());
        json_with(garbage);
    }
}

TEST_F(log_line, long_values_are_cut_at_a_character)
{
    std::string text(255, 'x');
    text += "微信 and so on";
    const auto document = json_with(text);
    EXPECT_EQ(std::string(document["value"].GetString()), std::string(255, 'x') + "…");
}

TEST_F(log_line, lower_levels_are_left_out)
{
    configure(level::warn, format::text);
    EXPECT_EQ(line_of([] { info("test", "not worth it"); }), "");
    EXPECT_NE(line_of([] { error("test", "worth it"); }), "");
    EXPECT_FALSE(enabled(level::info));
    EXPECT_TRUE(enabled(level::warn));
    configure(level::off, format::text);
    EXPECT_EQ(line_of([] { error("test", "nobody listens"); }), "");
}

TEST_F(log_line, a_flood_of_like_lines_is_cut_short_and_errors_never_are)
{
    const auto lines_of = [](level at, const char* message) {
        const auto text = line_of([at, message] {
            for (int i = 0; i < 500; ++i)
                write(at, "test", message, {{"i", i}});
        });
        return text.empty() ? 0 : std::count(text.begin(), text.end(), '\n') + 1;
    };
    configure(level::debug, format::text);
    EXPECT_EQ(lines_of(level::info, "a flood of its own"), 50);
    EXPECT_EQ(lines_of(level::warn, "another flood"), 50);
    EXPECT_EQ(lines_of(level::error, "a flood of errors"), 500);
    EXPECT_EQ(lines_of(level::debug, "what was asked for"), 500);
}

TEST(log_level, has_a_name)
{
    EXPECT_EQ(parse_level("debug"), level::debug);
    EXPECT_EQ(parse_level("off"), level::off);
    EXPECT_EQ(parse_level("verbose"), std::nullopt);
    EXPECT_EQ(parse_level("INFO"), std::nullopt);
}

} // namespace
} // namespace wxcourier::log
