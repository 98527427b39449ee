// SPDX-License-Identifier: Apache-2.0
#include "common/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace wxcourier {
namespace {

static_assert(!std::is_convertible_v<secret, std::string>);
static_assert(!std::is_convertible_v<secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, secret>, "a text becomes a secret by name only");
static_assert(std::is_nothrow_move_constructible_v<secret>);

TEST(secret, is_never_printed)
{
    std::ostringstream out;
    out << secret("0123456789abcdef0123456789abcdef") << secret();
    EXPECT_EQ(out.str(), "[redacted][redacted]");
    EXPECT_EQ(testing::PrintToString(secret("hunter2")).find("hunter2"), std::string::npos);
}

TEST(secret, shows_its_text_to_who_asks_by_name)
{
    EXPECT_EQ(secret("hunter2").reveal(), "hunter2");
}

TEST(secret, a_move_leaves_nothing_behind)
{
    for (const auto* const text : {"short", "a text that is too long for the small string optimisation"}) {
        secret from{std::string(text)};
        const secret to(std::move(from));
        EXPECT_EQ(to.reveal(), text);
        EXPECT_TRUE(from.empty()); // NOLINT(bugprone-use-after-move): that is the point
        secret assigned("old");
        secret other{std::string(text)};
        assigned = std::move(other);
        EXPECT_EQ(assigned.reveal(), text);
        EXPECT_TRUE(other.empty()); // NOLINT(bugprone-use-after-move)
    }
}

TEST(secret, copies_are_independent)
{
    secret first("hunter2");
    secret second = first;
    second = secret("else");
    EXPECT_EQ(first.reveal(), "hunter2");
    first = static_cast<const secret&>(first);
    EXPECT_EQ(first.reveal(), "hunter2");
}

TEST(secret, compares_by_its_text)
{
    EXPECT_EQ(secret("abc"), secret("abc"));
    EXPECT_FALSE(secret("abc") == secret("abd"));
    EXPECT_FALSE(secret("abc") == secret("abcd"));
    EXPECT_FALSE(secret("abc") == secret());
    EXPECT_EQ(secret(), secret());
}

} // namespace
} // namespace wxcourier
