// SPDX-License-Identifier: Apache-2.0
#include "codec/fleet_record_codec.hpp"

#include <gtest/gtest.h>

namespace wxcourier::codec {
namespace {

using domain::fleet_record;

TEST(fleet_record_codec, what_was_written_is_read)
{
    const std::vector<fleet_record> records{
        domain::leading_record{7, "host-1-abc", "host-1"},
        domain::refreshing_record{"shop", {7, 12}},
        domain::refresh_failed_record{"shop", {7, 12}, 40164, "invalid ip \"192.0.2.1\""},
        domain::refresh_failed_record{"shop", {7, 12}, std::nullopt, ""},
        domain::token_rejected_record{"shop", {7, 12}, true},
        domain::token_rejected_record{"shop", {7, 12}, false},
        domain::rate_report_record{"host-1-abc", 9, {7, 3}, false, {{"shop", 120'500, 4}, {"news", 1, 1}}},
        domain::rate_report_record{"host-1-abc", 10, {}, true, {}},
        domain::rate_report_record{"host-1-abc", 11, {}, true, {}, "0123456789abcdef#0"},
        domain::rate_table_record{
            {7, 4}, {{"host-2-def", 17}}, {{"shop", {{"host-1-abc", {150'000, 40'000}}}}, {"news", {}}}},
        domain::quota_report_record{
            "host-1-abc", 3, 20'780, false, {{"shop", "official.template", {1, 2}, {3, 4}, {5, 6}, 0}}},
        domain::quota_report_record{
            "host-1-abc", 4, 20'780, true, {{"shop", "official.template", {1, 2}, {1, 2}, {}, 7}}},
        domain::quota_table_record{7,
                                   20'780,
                                   "shop",
                                   "official.template",
                                   {1000, 900},
                                   false,
                                   {10, 20},
                                   {{"host-1-abc", 3, {5, 60}}, {"host-2-def", 0, {}}}},
        domain::quota_table_record{8, 20'780, "shop", "official.custom", domain::no_quota, true, {}, {}},
        domain::quota_mark_record{8, 1'234},
    };
    for (const auto& each : records) {
        const auto json = encode_fleet_record(each);
        const auto read = decode_fleet_record(json);
        ASSERT_TRUE(read.record) << json;
        EXPECT_EQ(*read.record, each) << json;
    }
}

TEST(fleet_record_codec, its_form_is_a_contract_between_releases)
{
    EXPECT_EQ(encode_fleet_record(domain::leading_record{7, "m", "w"}),
              R"({"version":1,"type":"leading","term":7,"member":"m","worker":"w"})");
    EXPECT_EQ(encode_fleet_record(domain::refreshing_record{"shop", {7, 12}}),
              R"({"version":1,"type":"refreshing","app":"shop","term":7,"generation":12})");
    EXPECT_EQ(
        encode_fleet_record(domain::refresh_failed_record{"shop", {7, 12}, -1, "busy"}),
        R"({"version":1,"type":"refresh_failed","app":"shop","term":7,"generation":12,"errcode":-1,"errmsg":"busy"})");
    EXPECT_EQ(encode_fleet_record(domain::token_rejected_record{"shop", {7, 12}, true}),
              R"({"version":1,"type":"token_rejected","app":"shop","term":7,"generation":12,"proven":true})");
    EXPECT_EQ(encode_fleet_record(domain::rate_report_record{"m", 9, {7, 3}, false, {{"shop", 120'500, 4}}}),
              R"({"version":1,"type":"rate_report","member":"m","number":9,"term":7,"table":3,)"
              R"("apps":[{"app":"shop","wanted":120500,"weight":4}]})");
    EXPECT_EQ(
        encode_fleet_record(domain::rate_table_record{{7, 4}, {{"n", 17}}, {{"shop", {{"m", {150'000, 40'000}}}}}}),
        R"({"version":1,"type":"rate_table","term":7,"table":4,"silent":[{"member":"n","last":17}],)"
        R"("apps":[{"app":"shop","shares":[{"member":"m","rate":150000,"burst":40000}]}]})");
}

TEST(fleet_record_codec, members_and_types_of_a_newer_release_are_skipped)
{
    EXPECT_TRUE(
        decode_fleet_record(R"({"version":1,"type":"leading","term":7,"member":"m","worker":"w","more":[1]})").record);
    for (const char* json : {R"({"version":1,"type":"lease","app":"shop"})", R"({"version":2,"type":"leading"})"}) {
        const auto read = decode_fleet_record(json);
        EXPECT_FALSE(read.record);
        EXPECT_TRUE(read.unknown) << json;
    }
}

TEST(fleet_record_codec, what_is_damaged_is_no_record)
{
    for (const char* json :
         {"", "garbage", "[]", "{}", R"({"version":1})", R"({"version":1,"type":"leading"})",
          R"({"version":1,"type":"leading","term":-1,"member":"m","worker":"w"})",
          R"({"version":1,"type":"leading","term":1.5,"member":"m","worker":"w"})",
          R"({"version":1,"type":"leading","term":7,"member":"","worker":"w"})",
          R"({"version":1,"type":"refreshing","app":"shop","term":7})",
          R"({"version":1,"type":"refreshing","app":7,"term":7,"generation":1})",
          R"({"version":1,"type":"refresh_failed","app":"shop","term":7,"generation":1,"errcode":"x","errmsg":""})",
          R"({"version":1,"type":"token_rejected","app":"shop","term":7,"generation":1})",
          R"({"version":1,"type":"rate_report","member":"m","number":1,"term":1,"table":1})",
          R"({"version":1,"type":"rate_report","member":"m","number":1,"term":1,"table":1,"apps":[{"app":"shop"}]})",
          R"({"version":1,"type":"rate_report","member":"m","number":1,"term":1,"table":1,"leaving":1,"apps":[]})",
          R"({"version":1,"type":"rate_report","member":"m","number":1,"term":1,"table":1,"seat":1,"apps":[]})",
          R"({"version":1,"type":"rate_table","term":1,"table":1,"silent":[],"apps":[7]})",
          R"({"version":1,"type":"rate_table","term":1,"table":1,"silent":[],"apps":[{"app":"shop","shares":[)"
          R"({"member":"m","rate":-1,"burst":1}]}]})"})
    {
        const auto read = decode_fleet_record(json);
        EXPECT_FALSE(read.record) << json;
        EXPECT_FALSE(read.unknown) << json;
    }
}

} // namespace
} // namespace wxcourier::codec
