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
          R"({"version":1,"type":"token_rejected","app":"shop","term":7,"generation":1})"})
    {
        const auto read = decode_fleet_record(json);
        EXPECT_FALSE(read.record) << json;
        EXPECT_FALSE(read.unknown) << json;
    }
}

} // namespace
} // namespace wxcourier::codec
