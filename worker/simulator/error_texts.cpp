// SPDX-License-Identifier: Apache-2.0
#include "simulator/error_texts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr auto texts = std::to_array<std::pair<int, std::string_view>>({
    {-1, "system error"},
    {0, "ok"},
    {40001, "invalid credential, access_token is invalid or not latest"},
    {40002, "invalid grant_type"},
    {40003, "invalid openid"},
    {40007, "invalid media_id"},
    {40008, "invalid message type"},
    {40013, "invalid appid"},
    {40014, "invalid access_token"},
    {40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"},
    {40035, "invalid parameter"},
    {40036, "invalid template_id size"},
    {40037, "invalid template_id"},
    {40039, "invalid url size"},
    {40062, "invalid title size"},
    {40066, "invalid url"},
    {40125, "invalid appsecret"},
    {40164, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist"},
    {40165, "invalid weapp pagepath"},
    {40241, "The message is duplicate in 60 seconds"},
    {40243, "appsecret has been frozen"},
    {40249, "marketing content is forbidden"},
    {41001, "access_token missing"},
    {41002, "appid missing"},
    {41004, "appsecret missing"},
    {41009, "missing openid"},
    {41028, "invalid form id"},
    {41029, "form id used count reach limit"},
    {41030, "invalid page"},
    {42001, "access_token expired"},
    {43001, "require GET method"},
    {43002, "require POST method"},
    {43003, "require https"},
    {43004, "require subscribe"},
    {43101, "user refuse to accept the msg"},
    {43107, "subscribe message capability is banned"},
    {43108, "concurrently send messages to the same user"},
    {43116, "this template is restricted"},
    {43117, "send to this openid too frequently"},
    {44002, "empty post data"},
    {44003, "empty news data"},
    {44004, "empty content"},
    {45002, "content size out of limit"},
    {45008, "article size out of limit"},
    {45009, "reach max api daily quota limit"},
    {45011, "api minute-quota reach limit, must slower, retry next minute"},
    {45015, "response out of time limit or subscription is canceled"},
    {45047, "out of response count limit"},
    {45067, "clientmsgid size out of limit"},
    {45103, "this api is no longer supported"},
    {45109, "this api is no longer supported"},
    {45168, "the message hits a keyword in the blacklist"},
    {46004, "user not exist"},
    {47001, "data format error"},
    {47002, "invalid charset"},
    {47003, "argument invalid!"},
    {48001, "api unauthorized"},
    {48006, "forbid to clear quota because of reaching the limit"},
    {48008, "no permission for this msgtype"},
    {50004, "api is forbidden to use access_token"},
    {50007, "account is frozen"},
    {76003, "cgi_path is invalid"},
    {76021, "cgi_path not found, please check"},
    {76022, "could not use this cgi_path, no permission"},
});

static_assert(std::ranges::is_sorted(texts, {}, &std::pair<int, std::string_view>::first));

} // namespace

std::string_view error_text(int errcode) noexcept
{
    const auto* const row = std::ranges::lower_bound(texts, errcode, {}, &std::pair<int, std::string_view>::first);
    return row != texts.end() && row->first == errcode ? row->second : std::string_view("simulated error");
}

} // namespace wxcourier::simulator
