// SPDX-License-Identifier: Apache-2.0
#include "codec/client_msg_id.hpp"

#include <gtest/gtest.h>

namespace wxcourier::codec {
namespace {

// Reference: printf 'shop\0article-1\0o_rbq1TOgERuflYd7PsiE9H565Oo' | sha256sum | cut -c1-32
TEST(client_msg_id, is_the_documented_digest)
{
    const auto key = client_msg_id("shop", "article-1", "o_rbq1TOgERuflYd7PsiE9H565Oo");
    EXPECT_EQ(std::string_view(key.data(), key.size()), "01a2d9284525e6f085e8f6b09fa2ce08");
}

TEST(client_msg_id, tells_apart_what_only_differs_in_where_a_part_ends)
{
    EXPECT_NE(client_msg_id("shop", "1x", "y"), client_msg_id("shop", "1", "xy"));
    EXPECT_NE(client_msg_id("shop1", "1", "y"), client_msg_id("shop", "11", "y"));
}

} // namespace
} // namespace wxcourier::codec
