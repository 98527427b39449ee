// SPDX-License-Identifier: Apache-2.0
#include "wechat/base_url.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace wxcourier::wechat {
namespace {

TEST(base_url, takes_the_port_from_the_scheme)
{
    const base_url url = parse_base_url("https://API.weixin.qq.com");
    EXPECT_TRUE(url.tls);
    EXPECT_EQ(url.host, "api.weixin.qq.com");
    EXPECT_EQ(url.port, 443);
    EXPECT_EQ(url.authority, "api.weixin.qq.com");
    EXPECT_EQ(url.prefix, "");
    EXPECT_FALSE(url.is_address);
}

TEST(base_url, keeps_another_port_in_the_authority_and_a_path_without_its_last_slash)
{
    const base_url url = parse_base_url("http://localhost:8088/wechat/");
    EXPECT_FALSE(url.tls);
    EXPECT_EQ(url.port, 8088);
    EXPECT_EQ(url.authority, "localhost:8088");
    EXPECT_EQ(url.prefix, "/wechat");
}

TEST(base_url, puts_brackets_around_ipv6_in_the_authority_only)
{
    const base_url url = parse_base_url("https://[::1]:8443");
    EXPECT_EQ(url.host, "::1");
    EXPECT_EQ(url.authority, "[::1]:8443");
    EXPECT_TRUE(url.is_address);
    EXPECT_TRUE(parse_base_url("https://127.0.0.1").is_address);
}

TEST(base_url, refuses_what_is_no_base_url_without_repeating_it)
{
    for (const char* const text :
         {"", "api.weixin.qq.com", "ftp://host", "https://", "https:///path", "https://host:0", "https://host:65536",
          "https://host:", "https://host:1x", "https://user:pass@host", "https://host?secret=hidden", "https://host#x",
          "https://[::1", "https://[localhost]", "https://::1", "https://ho st", "https://host\r\nX: y",
          "https://[::1]x"})
    {
        try {
            parse_base_url(text);
            ADD_FAILURE() << "accepted: " << text;
        } catch (const std::invalid_argument& refused) {
            EXPECT_EQ(std::string(refused.what()).find("hidden"), std::string::npos);
            EXPECT_EQ(std::string(refused.what()).find("pass"), std::string::npos);
        }
    }
}

} // namespace
} // namespace wxcourier::wechat
