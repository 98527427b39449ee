// SPDX-License-Identifier: Apache-2.0
#include "codec/merged_value.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wxcourier::codec {
namespace {

std::string merge(std::string_view target, std::string_view patch)
{
    json_document before;
    json_document change;
    EXPECT_EQ(before.parse(target, 10'000'000), std::nullopt) << target;
    EXPECT_EQ(change.parse(patch, 10'000'000), std::nullopt) << patch;
    std::string out;
    merged_value{before.root(), change.root()}.append_to(out);
    return out;
}

struct merge_case {
    std::string_view target;
    std::string_view patch;
    std::string_view result;
};

// RFC 7396, appendix A, whole.
TEST(merged_value, does_what_rfc_7396_shows)
{
    const std::vector<merge_case> table{
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"a":"foo"})", R"("bar")", R"("bar")"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    };
    for (const auto& [target, patch, result] : table)
        EXPECT_EQ(merge(target, patch), result) << target << " + " << patch;
}

TEST(merged_value, keeps_the_targets_order_and_appends_what_is_new)
{
    EXPECT_EQ(merge(R"({"z":1,"y":{"b":1,"a":2},"x":3})", R"({"n":0,"y":{"c":9,"b":8},"z":{"k":1}})"),
              R"({"z":{"k":1},"y":{"b":8,"a":2,"c":9},"x":3,"n":0})");
    // Nulls inside an array are values.
    EXPECT_EQ(merge(R"({"a":1})", R"({"a":[null,{"b":null}]})"), R"({"a":[null,{"b":null}]})");
}

TEST(merged_value, finds_members_as_they_are_after_the_merge)
{
    json_document before;
    json_document change;
    ASSERT_EQ(before.parse(R"({"a":{"b":"1","c":"2"},"d":"3","e":"4"})", 1000), std::nullopt);
    ASSERT_EQ(change.parse(R"({"a":{"b":null,"c":"5"},"e":null,"f":{"g":null}})", 1000), std::nullopt);
    const merged_value merged{before.root(), change.root()};
    EXPECT_FALSE(merged.find("a").find("b"));
    EXPECT_EQ(merged.find("a").find("c").text(), "5");
    EXPECT_EQ(merged.find("d").text(), "3");
    EXPECT_FALSE(merged.find("e"));
    EXPECT_FALSE(merged.find("e").find("x"));
    EXPECT_TRUE(merged.find("f").is(json_type::object));
    EXPECT_FALSE(merged.find("f").find("g"));
    EXPECT_FALSE(merged.find("d").find("x"));
}

} // namespace
} // namespace wxcourier::codec
