// SPDX-License-Identifier: Apache-2.0
#include "domain/kinds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace wxcourier::domain {
namespace {

TEST(kinds, are_the_rows_of_the_reference)
{
    using row = std::tuple<std::string_view, std::string_view, app_type, bool, bool>;
    constexpr auto official = app_type::official_account;
    constexpr auto mini = app_type::mini_program;
    const std::vector<row> expected{
        {"official.template", "/cgi-bin/message/template/send", official, true, false},
        {"official.subscribe_once", "/cgi-bin/message/template/subscribe", official, false, false},
        {"official.subscribe", "/cgi-bin/message/subscribe/bizsend", official, false, false},
        {"official.custom", "/cgi-bin/message/custom/send", official, false, false},
        {"miniprogram.template", "/cgi-bin/message/wxopen/template/send", mini, false, true},
        {"miniprogram.subscribe", "/cgi-bin/message/subscribe/send", mini, false, false},
        {"miniprogram.uniform", "/cgi-bin/message/wxopen/template/uniform_send", mini, false, true},
        {"miniprogram.custom", "/cgi-bin/message/custom/send", mini, false, false},
    };
    std::vector<row> actual;
    for (const auto& kind : all_kinds())
        actual.emplace_back(kind.name, kind.path, kind.type, kind.takes_client_msg_id, kind.retired);
    EXPECT_EQ(actual, expected);
}

TEST(kinds, are_found_by_their_whole_name)
{
    for (const auto& kind : all_kinds())
        EXPECT_EQ(find_kind(kind.name), &kind);
    EXPECT_EQ(find_kind(""), nullptr);
    EXPECT_EQ(find_kind("official"), nullptr);
    EXPECT_EQ(find_kind("Official.template"), nullptr);
    EXPECT_EQ(find_kind("official.template "), nullptr);
}

TEST(kinds, demand_a_recipient_first)
{
    for (const auto& kind : all_kinds()) {
        ASSERT_FALSE(kind.members.empty()) << kind.name;
        EXPECT_EQ(kind.members.front().pointer, "/touser") << kind.name;
        EXPECT_TRUE(kind.members.front().required) << kind.name;
    }
}

// The check of a shape goes down from one object to the next: a member's parent is judged before it.
TEST(kinds, name_a_required_members_parent_before_it)
{
    for (const auto& kind : all_kinds()) {
        std::set<std::string_view> seen{""};
        for (const auto& member : kind.members) {
            const auto parent = member.pointer.substr(0, member.pointer.rfind('/'));
            EXPECT_TRUE(!member.required || seen.contains(parent)) << kind.name << ' ' << member.pointer;
            EXPECT_TRUE(seen.insert(member.pointer).second) << kind.name << ' ' << member.pointer;
        }
    }
}

TEST(kinds, that_nest_values_have_a_rule_for_data)
{
    for (const auto& kind : all_kinds()) {
        const bool ruled = std::ranges::any_of(
            kind.members, [](const auto& rule) { return rule.pointer == "/data" && rule.type == member_type::object; });
        EXPECT_EQ(ruled, kind.data == data_shape::values) << kind.name;
        EXPECT_FALSE(kind.has_msgtype && kind.data == data_shape::values) << kind.name;
    }
}

} // namespace
} // namespace wxcourier::domain
