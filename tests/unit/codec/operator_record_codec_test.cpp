// SPDX-License-Identifier: Apache-2.0
#include "codec/fleet_record_codec.hpp"
#include "codec/operator_record_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wxcourier::codec {
namespace {

using action = domain::operator_change::action;
using domain::fleet_record;

const domain::operator_mark alice{"alice", "worker-1", wall_time{milliseconds{1'790'000'000'123}}};

domain::operator_state_record full_snapshot()
{
    domain::operator_state_record record{{123, {}, {}}};
    const std::string name(128, 'n');
    const domain::operator_mark mark{std::string(64, 'o'), std::string(64, 'w'), alice.at};
    for (std::size_t i = 0; i < domain::operator_state::most_pauses; ++i)
        record.all.pauses.push_back({{name, "", std::string(120, 't') + std::to_string(i)}, mark, 1'000'000'000'000});
    for (std::size_t i = 0; i < domain::operator_state::most_rates; ++i)
        record.all.rates.push_back(
            {std::string(120, 'a') + std::to_string(i), {0.123456789012345, 1e6, 65'536}, mark, 1'000'000'000'000});
    return record;
}

TEST(OperatorRecordCodec, WhatWasWrittenIsRead)
{
    const std::vector<fleet_record> records{
        domain::operator_probe_record{"member-1/7"},
        domain::operator_change_record{"member-1/8", {action::pause, {"shop", "", ""}, {}, alice}},
        domain::operator_change_record{"m/9", {action::resume, {"", "", "TM \"1\""}, {}, alice}},
        domain::operator_change_record{"m/9", {action::pause, {}, {}, alice}},
        domain::operator_change_record{"m/9", {action::rate, {"shop", "", ""}, {12.5, std::nullopt, 8}, alice}},
        domain::operator_change_record{"m/9", {action::rate, {"shop", "", ""}, {}, alice}},
        domain::operator_change_record{"m/9", {action::renewed, {"shop", "", ""}, {}, {{}, "worker-1", alice.at}}},
        domain::operator_state_record{{-1, {}, {}}},
        domain::operator_state_record{
            {77, {{{"", "official.custom", ""}, alice, 3}, {{}, alice, 4}}, {{"shop", {1e-3, 2, 3}, alice, 5}}}},
    };
    for (const auto& each : records) {
        const auto json = encode_fleet_record(each);
        const auto read = decode_fleet_record(json);
        ASSERT_TRUE(read.record) << json;
        EXPECT_EQ(*read.record, each) << json;
    }
}

TEST(OperatorRecordCodec, ItsFormIsAContractBetweenReleases)
{
    EXPECT_EQ(encode_fleet_record(domain::operator_probe_record{"m/7"}),
              R"({"version":1,"type":"operator_probe","id":"m/7"})");
    EXPECT_EQ(encode_fleet_record(domain::operator_change_record{
                  "m/8", {action::pause, {"shop", "official.custom", "TM1"}, {}, alice}}),
              R"({"version":1,"type":"operator_change","id":"m/8","action":"pause","app":"shop",)"
              R"("kind":"official.custom","template":"TM1","by":"alice","worker":"worker-1","at":1790000000123})");
    EXPECT_EQ(encode_fleet_record(
                  domain::operator_change_record{"m/8", {action::rate, {"shop", "", ""}, {12.5, 1, 8}, alice}}),
              R"({"version":1,"type":"operator_change","id":"m/8","action":"rate","app":"shop",)"
              R"("per_second":12.5,"burst":1,"concurrency":8,"by":"alice","worker":"worker-1","at":1790000000123})");
    EXPECT_EQ(encode_fleet_record(domain::operator_state_record{
                  {77, {{{"shop", "", ""}, alice, 3}, {{}, {}, 4}}, {{"shop", {5, {}, {}}, alice, 5}}}}),
              R"({"version":1,"type":"operator_state","through":77,)"
              R"("pauses":[{"app":"shop","by":"alice","worker":"worker-1","at":1790000000123,"offset":3},)"
              R"({"at":0,"offset":4}],)"
              R"("rates":[{"app":"shop","per_second":5,"by":"alice","worker":"worker-1","at":1790000000123,)"
              R"("offset":5}]})");
}

TEST(OperatorRecordCodec, TheLargestSnapshotFitsARecord)
{
    const fleet_record record = full_snapshot();
    const auto json = encode_fleet_record(record);
    EXPECT_LT(json.size(), 1'000'000U);
    const auto read = decode_fleet_record(json);
    ASSERT_TRUE(read.record);
    EXPECT_EQ(*read.record, record);
}

TEST(OperatorRecordCodec, WhatIsDamagedIsNoRecord)
{
    for (const char* json :
         {R"({"version":1,"type":"operator_probe"})", R"({"version":1,"type":"operator_probe","id":""})",
          R"({"version":1,"type":"operator_change","id":"m","action":"pause"})",
          R"({"version":1,"type":"operator_change","id":"m","action":"stop","at":1})",
          R"({"version":1,"type":"operator_change","id":"m","action":"pause","app":7,"at":1})",
          R"({"version":1,"type":"operator_change","id":"m","action":"rate","app":"a","per_second":-1,"at":1})",
          R"({"version":1,"type":"operator_change","id":"m","action":"rate","app":"a","concurrency":1.5,"at":1})",
          R"({"version":1,"type":"operator_state","through":1,"pauses":[]})",
          R"({"version":1,"type":"operator_state","through":1,"pauses":[7],"rates":[]})",
          R"({"version":1,"type":"operator_state","through":1,"pauses":[],"rates":[{"at":1,"offset":1}]})"})
    {
        const auto read = decode_fleet_record(json);
        EXPECT_FALSE(read.record) << json;
        EXPECT_FALSE(read.unknown) << json;
    }
}

TEST(OperatorRecordCodec, EachTargetHasAKeyOfItsOwn)
{
    const auto key = [](action what, domain::pause_target target) {
        return domain::log_key(domain::operator_change_record{"m", {what, std::move(target), {}, {}}});
    };
    EXPECT_EQ(key(action::pause, {"shop", "", ""}), key(action::resume, {"shop", "", ""}));
    EXPECT_NE(key(action::pause, {"shop", "", ""}), key(action::rate, {"shop", "", ""}));
    EXPECT_NE(key(action::pause, {"shop", "", ""}), key(action::pause, {"", "", "shop"}));
    EXPECT_EQ(key(action::pause, {}), "@operator/pause///");
    EXPECT_EQ(key(action::renewed, {"shop", "", ""}), "@operator/renewed/shop//") << "takes no pause or rate away";
}

} // namespace
} // namespace wxcourier::codec
