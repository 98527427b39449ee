// SPDX-License-Identifier: Apache-2.0
#include "config/network_address.hpp"

#include <gtest/gtest.h>

namespace wxcourier::config {
namespace {

TEST(ListenAddress, IsAHostAndAPort)
{
    const auto v4 = parse_listen_address("0.0.0.0:8080");
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->host, "0.0.0.0");
    EXPECT_EQ(v4->port, 8080);
    const auto v6 = parse_listen_address("[::1]:0");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->port, 0);
    EXPECT_TRUE(parse_listen_address("localhost:65535"));
}

TEST(ListenAddress, IsNothingElse)
{
    for (const auto* text : {"", ":", ":80", "host", "host:", "host:x", "host:-1", "host:65536", "host:80 ", "::1:80",
                             "[::1]", "[::1]80", "[host]:80", "[::1:80", "a b:80", "host:80:80", "*:80"})
        EXPECT_FALSE(parse_listen_address(text)) << text;
}

TEST(Url, IsSplit)
{
    const auto url = parse_url("https://user:word@api.example:8443/a/b?c=d#e");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, "https");
    EXPECT_EQ(url->host, "api.example");
    EXPECT_EQ(url->port, "8443");
    EXPECT_EQ(url->path, "/a/b");
    EXPECT_TRUE(url->has_user_info);
    EXPECT_TRUE(url->has_query);
    EXPECT_TRUE(url->has_fragment);
    const auto bare = parse_url("http://[::1]");
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->host, "::1");
    EXPECT_EQ(bare->port, "");
    EXPECT_EQ(bare->path, "");
    EXPECT_FALSE(bare->has_user_info || bare->has_query || bare->has_fragment);
}

TEST(Url, OfAnotherShapeIsRefused)
{
    for (const auto* text :
         {"", "api.example", "//api.example", "ftp://a", "https:/a", "https://", "https:///a", "https://a:0",
          "https://a:99999", "https://a:", "https://a b", "https://[::1", "https://-a", "https://a\\b", "HTTPS://a"})
        EXPECT_FALSE(parse_url(text)) << text;
}

TEST(Loopback, StaysOnTheMachine)
{
    for (const auto* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const auto* host :
         {"", "127.0.0.1.example", "localhost.example", "128.0.0.1", "0.0.0.0", "::", "::2", "127.1"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(ReachableAddress, IsWhereTheMachineItselfFindsAListener)
{
    EXPECT_EQ(reachable_address({"10.1.2.3", 8080}), "10.1.2.3:8080");
    EXPECT_EQ(reachable_address({"0.0.0.0", 8081}), "127.0.0.1:8081");
    EXPECT_EQ(reachable_address({"::", 80}), "[::1]:80");
    EXPECT_EQ(reachable_address({"fd00::7", 80}), "[fd00::7]:80");
}

} // namespace
} // namespace wxcourier::config
