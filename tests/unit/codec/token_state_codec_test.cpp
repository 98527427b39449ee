// SPDX-License-Identifier: Apache-2.0
#include "codec/token_state_codec.hpp"

#include <gtest/gtest.h>

namespace wxcourier::codec {
namespace {

TEST(TokenStates, ComeBackAsTheyWereWritten)
{
    token_states states{"worker \"1\"", {}};
    states.apps.push_back({"shop", "stable", "good", "", "", "worker-1", 3, seconds{345}, seconds{55}});
    states.apps.push_back({"mini", "classic", "halted", "ip_not_allowed", "invalid ip 203.0.113.7\n", "", 0, {}, {}});
    const auto read = decode_token_states(encode_token_states(states));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->worker, "worker \"1\"");
    ASSERT_EQ(read->apps.size(), 2U);
    EXPECT_EQ(read->apps[0].app, "shop");
    EXPECT_EQ(read->apps[0].source, "stable");
    EXPECT_EQ(read->apps[0].state, "good");
    EXPECT_EQ(read->apps[0].owner, "worker-1");
    EXPECT_EQ(read->apps[0].generation, 3U);
    EXPECT_EQ(read->apps[0].expires_in, seconds{345});
    EXPECT_EQ(read->apps[0].next_call_in, seconds{55});
    EXPECT_EQ(read->apps[1].reason, "ip_not_allowed");
    EXPECT_EQ(read->apps[1].detail, "invalid ip 203.0.113.7\n");
    EXPECT_EQ(read->apps[1].next_call_in, std::nullopt);
}

TEST(TokenStates, SayNothingThatIsEmpty)
{
    EXPECT_EQ(encode_token_states({"w", {}}), "{\"version\":1,\"worker\":\"w\",\"apps\":[]}\n");
    EXPECT_EQ(encode_token_states({"w", {{"a", "stable", "missing", "", "", "", 0, {}, {}}}}),
              "{\"version\":1,\"worker\":\"w\",\"apps\":[{\"app\":\"a\",\"source\":\"stable\",\"state\":\"missing\","
              "\"generation\":0,\"expires_in_s\":0}]}\n");
}

TEST(TokenStates, AreNotReadFromSomethingElse)
{
    for (const auto* text : {"", "{}", "[]", "not found", R"({"apps":{}})"})
        EXPECT_FALSE(decode_token_states(text)) << text;
    EXPECT_TRUE(decode_token_states(R"({"apps":[{"generation":-1,"more":[]}],"version":2})"))
        << "additions are ignored";
}

} // namespace
} // namespace wxcourier::codec
