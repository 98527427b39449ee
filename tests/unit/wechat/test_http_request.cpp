// SPDX-License-Identifier: Apache-2.0
#include "wechat/http_request.hpp"
#include "wechat/token_client.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wxcourier::wechat {
namespace {

std::string write(const char* base, const http_request& request)
{
    const request_writer writer(parse_base_url(base), "wxcourier/1");
    std::string out = "left over from the request before";
    writer.write(request, out);
    return out;
}

TEST(http_request, a_post_has_its_length_and_its_body_word_for_word)
{
    const std::array<query_parameter, 1> query{query_parameter{"access_token", "a-b_c.~"}};
    http_request post;
    post.path = "/cgi-bin/message/template/send";
    post.query = query;
    post.body = "{\"touser\":\"o\xe4\xb8\xad\"}";
    EXPECT_EQ(write("https://api.weixin.qq.com", post),
              "POST /cgi-bin/message/template/send?access_token=a-b_c.~ HTTP/1.1\r\n"
              "Host: api.weixin.qq.com\r\n"
              "User-Agent: wxcourier/1\r\n"
              "Content-Type: application/json\r\n"
              "Content-Length: 17\r\n"
              "\r\n"
              "{\"touser\":\"o\xe4\xb8\xad\"}");
}

TEST(http_request, a_post_without_a_body_says_so)
{
    EXPECT_NE(write("https://host", {}).find("\r\nContent-Length: 0\r\n\r\n"), std::string::npos);
}

TEST(http_request, a_get_has_neither_length_nor_body)
{
    const std::array<query_parameter, 2> query{query_parameter{"appid", "wx1"}, query_parameter{"secret", "s"}};
    http_request get;
    get.method = http_request::verb::get;
    get.path = "/cgi-bin/token";
    get.query = query;
    get.body = "ignored";
    EXPECT_EQ(write("http://[::1]:81/base", get), "GET /base/cgi-bin/token?appid=wx1&secret=s HTTP/1.1\r\n"
                                                  "Host: [::1]:81\r\n"
                                                  "User-Agent: wxcourier/1\r\n"
                                                  "\r\n");
}

TEST(http_request, a_value_cannot_leave_its_place_in_the_query)
{
    std::string out;
    append_percent_encoded(out, std::string_view("a b&c=d\r\n%\0+/\xff", 14));
    EXPECT_EQ(out, "a%20b%26c%3Dd%0D%0A%25%00%2B%2F%FF");
}

TEST(stable_token_body, is_json_whatever_the_secret_holds)
{
    engine::token_request request;
    request.appid = "wx\"1";
    request.app_secret = "a\\b\n";
    EXPECT_EQ(stable_token_body(request).reveal(),
              R"({"grant_type":"client_credential","appid":"wx\"1","secret":"a\\b\u000a","force_refresh":false})");
    request.call = decltype(request.call)::stable_forced;
    EXPECT_TRUE(stable_token_body(request).reveal().ends_with(R"("force_refresh":true})"));
}

} // namespace
} // namespace wxcourier::wechat
