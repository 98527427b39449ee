// SPDX-License-Identifier: Apache-2.0
#include "simulator/fault_script.hpp"

#include <gtest/gtest.h>

namespace wxcourier::simulator {
namespace {

constexpr std::string_view path = "/cgi-bin/message/template/send";

fault script_of(std::string_view openid)
{
    const auto script = parse_openid_script(openid);
    EXPECT_TRUE(script) << openid;
    return script ? script->what : fault{};
}

TEST(openid_script_test, an_ordinary_openid_has_none)
{
    EXPECT_FALSE(parse_openid_script("o_rbq1TOgERuflYd7PsiE9H565Oo"));
    EXPECT_FALSE(parse_openid_script(""));
    EXPECT_FALSE(parse_openid_script("simple"));
}

TEST(openid_script_test, each_fault_has_a_form)
{
    EXPECT_EQ(script_of("sim-errcode-43004-anna").errcode, 43004);
    EXPECT_EQ(script_of("sim-errcode--1-anna").errcode, -1);
    EXPECT_EQ(script_of("sim-errcode-43004").errcode, 43004);
    EXPECT_EQ(script_of("sim-http-502-anna").http_status, 502U);
    EXPECT_TRUE(script_of("sim-html-anna").html);
    EXPECT_TRUE(script_of("sim-empty-anna").empty);
    EXPECT_EQ(script_of("sim-reset-0-anna").reset_after, 0U);
    EXPECT_EQ(script_of("sim-reset-40-anna").reset_after, 40U);
    EXPECT_EQ(script_of("sim-stall-anna").stall_after, 0U);
    EXPECT_EQ(script_of("sim-stall").stall_after, 0U);
    EXPECT_EQ(script_of("sim-drip-anna").drip, milliseconds{10});
    EXPECT_EQ(script_of("sim-drip-5ms-anna").drip, milliseconds{5});
    EXPECT_TRUE(script_of("sim-truncate-anna").truncate_half);
    EXPECT_EQ(script_of("sim-latency-250ms-anna").latency, milliseconds{250});
    EXPECT_TRUE(script_of("sim-expire-anna").expire_token);
}

TEST(openid_script_test, a_script_may_end)
{
    EXPECT_EQ(parse_openid_script("sim-errcode--1-a")->times, 0U);
    EXPECT_EQ(parse_openid_script("sim-once-errcode--1-a")->times, 1U);
    EXPECT_EQ(parse_openid_script("sim-twice-reset-0-a")->times, 2U);
    EXPECT_EQ(parse_openid_script("sim-thrice-html-a")->times, 3U);
    EXPECT_EQ(parse_openid_script("sim-expire-a")->times, 1U);
}

TEST(openid_script_test, what_cannot_be_read_says_so)
{
    for (const auto* openid :
         {"sim-", "sim-errcode", "sim-errcode-0-a", "sim-errcode-x", "sim-http-99-a", "sim-nonsense", "sim-reset--1-a",
          "sim-latency-a", "sim-errcode-99999999999-a", "sim-htmlx"})
    {
        EXPECT_EQ(script_of(openid).errcode, 40003) << openid;
        EXPECT_FALSE(script_of(openid).errmsg.empty()) << openid;
    }
}

TEST(fault_test, a_message_counts_as_sent_unless_a_gateway_answers)
{
    fault lost;
    lost.reset_after = 0;
    EXPECT_TRUE(lost.is_processed());
    fault gateway;
    gateway.http_status = 502;
    EXPECT_FALSE(gateway.is_processed());
    gateway.accepted = true;
    EXPECT_TRUE(gateway.is_processed());
}

struct fault_script_test : testing::Test {
    static fault_rule rule(fault_match match, int errcode, std::optional<std::uint64_t> times = {})
    {
        fault_rule made{std::move(match), times, {}};
        made.what.errcode = errcode;
        return made;
    }
    /// The errcode of the fault for a request, which is then counted; 0: none.
    int play(std::string_view touser, std::string_view appid = "wx1")
    {
        const auto chosen = script.choose(touser, path, appid, random);
        if (chosen) {
            script.used(*chosen);
        }
        return chosen ? chosen->what.errcode.value_or(0) : 0;
    }

    fault_script script;
    dice random{7};
};

TEST_F(fault_script_test, a_rule_is_for_those_it_names)
{
    script.add(rule({"o1", "", "", 1.0}, 1));
    script.add(rule({"o2*", "", "", 1.0}, 2));
    script.add(rule({"", "", "wx9", 1.0}, 3));
    script.add(rule({"", "/elsewhere", "", 1.0}, 4));
    EXPECT_EQ(play("o1"), 1);
    EXPECT_EQ(play("o2"), 2);
    EXPECT_EQ(play("o2xyz"), 2);
    EXPECT_EQ(play("o3", "wx9"), 3);
    EXPECT_EQ(play("o3"), 0);
}

TEST_F(fault_script_test, a_rule_ends_after_its_times_and_the_next_one_follows)
{
    script.add(rule({}, 1, 2));
    script.add(rule({}, 2));
    EXPECT_EQ(play("o"), 1);
    EXPECT_EQ(play("o"), 1);
    EXPECT_EQ(play("o"), 2);
    script.clear();
    EXPECT_EQ(play("o"), 0);
}

TEST_F(fault_script_test, a_choice_that_is_not_played_is_not_counted)
{
    script.add(rule({}, 1, 1));
    static_cast<void>(script.choose("o", path, "wx1", random));
    EXPECT_EQ(play("o"), 1);
    EXPECT_EQ(play("o"), 0);
}

TEST_F(fault_script_test, each_openid_counts_for_itself_and_comes_before_the_rules)
{
    script.add(rule({}, 7));
    EXPECT_EQ(play("sim-once-errcode-43004-a"), 43004);
    EXPECT_EQ(play("sim-once-errcode-43004-a"), 7);
    EXPECT_EQ(play("sim-once-errcode-43004-b"), 43004);
    EXPECT_EQ(play("sim-errcode-43004-c"), 43004);
    EXPECT_EQ(play("sim-errcode-43004-c"), 43004);
}

TEST_F(fault_script_test, a_probability_hits_its_share)
{
    script.add(rule({"", "", "", 0.25}, 1));
    int hits = 0;
    for (int i = 0; i < 10'000; ++i) {
        hits += play("o");
    }
    EXPECT_NEAR(hits, 2'500, 200);
}

} // namespace
} // namespace wxcourier::simulator
