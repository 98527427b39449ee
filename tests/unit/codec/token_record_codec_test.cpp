// SPDX-License-Identifier: Apache-2.0
#include "codec/token_record_codec.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace wxcourier::codec {
namespace {

const token_place place{"push.tokens", "shop", "wx0123456789abcdef"};
const std::string canary = "canary-token-qwertzuiop";

secret key_of(char filled)
{
    return secret(std::string(32, filled));
}

domain::shared_token token()
{
    return {{7, 12},
            secret(canary),
            wall_time{milliseconds{1'795'335'330'000}},
            wall_time{milliseconds{1'795'342'530'000}},
            "host-1"};
}

TEST(token_record_codec, what_was_sealed_opens)
{
    const token_seal seal{key_of('k')};
    const auto opened = seal.open(place, "shop", seal.seal(place, token()));
    ASSERT_TRUE(opened.token) << to_string(opened.refusal);
    EXPECT_EQ(opened.token->text, token().text);
    EXPECT_EQ(opened.token->stamp, token().stamp);
    EXPECT_EQ(opened.token->issued_at, token().issued_at);
    EXPECT_EQ(opened.token->expires_at, token().expires_at);
    EXPECT_EQ(opened.token->worker, "host-1");
}

TEST(token_record_codec, a_record_shows_no_part_of_the_token)
{
    const token_seal seal{key_of('k')};
    const auto value = seal.seal(place, token());
    for (std::size_t at = 0; at + 6 <= canary.size(); ++at)
        EXPECT_EQ(value.find(canary.substr(at, 6)), std::string::npos);
    EXPECT_NE(value.find(R"({"version":1,"app":"shop","appid":"wx0123456789abcdef","key_id":")" + seal.key_id()),
              std::string::npos)
        << value;
}

TEST(token_record_codec, no_two_records_have_the_same_nonce)
{
    const token_seal seal{key_of('k')};
    std::set<std::string> values;
    for (int i = 0; i < 1000; ++i)
        values.insert(seal.seal(place, token()));
    EXPECT_EQ(values.size(), 1000U);
}

TEST(token_record_codec, a_record_with_any_byte_changed_does_not_open)
{
    const token_seal seal{key_of('k')};
    const auto value = seal.seal(place, token());
    for (std::size_t at = 0; at < value.size(); ++at)
        for (const int flip : {1, 2, 0x20, 0x80}) {
            auto changed = value;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            EXPECT_FALSE(seal.open(place, "shop", changed).token) << at << ' ' << changed;
        }
}

TEST(token_record_codec, a_record_cut_short_does_not_open)
{
    const token_seal seal{key_of('k')};
    const auto value = seal.seal(place, token());
    for (std::size_t length = 0; length < value.size(); ++length)
        EXPECT_EQ(seal.open(place, "shop", value.substr(0, length)).refusal, token_refusal::malformed);
}

TEST(token_record_codec, a_member_with_another_value_breaks_the_seal)
{
    const token_seal seal{key_of('k')};
    const auto value = seal.seal(place, token());
    const std::vector<std::pair<std::string, std::string>> changes{
        {R"("term":7)", R"("term":8)"},
        {R"("generation":12)", R"("generation":13)"},
        {R"("expires_at":1795342530000)", R"("expires_at":1795349730000)"},
        {R"("issued_at":1795335330000)", R"("issued_at":1795335330001)"},
        {R"("worker":"host-1")", R"("worker":"host-2")"}};
    for (const auto& [from, to] : changes) {
        auto changed = value;
        const auto at = changed.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        changed.replace(at, from.size(), to);
        EXPECT_EQ(seal.open(place, "shop", changed).refusal, token_refusal::not_authentic) << to;
    }
}

TEST(token_record_codec, a_record_belongs_to_its_topic_and_app)
{
    const token_seal seal{key_of('k')};
    const auto value = seal.seal(place, token());
    EXPECT_EQ(seal.open({"other.tokens", "shop", place.appid}, "shop", value).refusal, token_refusal::not_authentic);
    EXPECT_EQ(seal.open({place.topic, "game", place.appid}, "game", value).refusal, token_refusal::foreign);
    EXPECT_EQ(seal.open({place.topic, "shop", "wx-other"}, "shop", value).refusal, token_refusal::foreign);
    EXPECT_EQ(seal.open(place, "game", value).refusal, token_refusal::foreign) << "another key";
    auto renamed = value;
    renamed.replace(renamed.find(R"("app":"shop")"), 12, R"("app":"game")");
    EXPECT_EQ(seal.open({place.topic, "game", place.appid}, "game", renamed).refusal, token_refusal::not_authentic);
}

TEST(token_record_codec, another_key_is_known_by_its_id)
{
    const token_seal seal{key_of('k')};
    const token_seal other{key_of('o')};
    EXPECT_NE(seal.key_id(), other.key_id());
    EXPECT_EQ(other.open(place, "shop", seal.seal(place, token())).refusal, token_refusal::unknown_key);
}

TEST(token_record_codec, a_key_has_32_bytes)
{
    EXPECT_THROW(token_seal{secret(std::string(31, 'k'))}, std::invalid_argument);
    EXPECT_THROW(token_seal{secret{}}, std::invalid_argument);
}

} // namespace
} // namespace wxcourier::codec
