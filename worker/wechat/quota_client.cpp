// SPDX-License-Identifier: Apache-2.0
#include "wechat/quota_client.hpp"

#include "codec/wechat_codec.hpp"

#include <array>
#include <string>
#include <utility>

namespace wxcourier::wechat {

asio::awaitable<engine::quota_reply> quota_client::ask(engine::quota_request request)
{
    const std::array<query_parameter, 1> query{query_parameter{"access_token", request.token}};
    const std::string body = R"({"cgi_path":")" + std::string(request.kind->path) + R"("})";
    http_request post;
    post.path = "/cgi-bin/openapi/quota/get";
    post.query = query;
    post.body = body;
    const http_answer answer = co_await transport_.exchange(post);
    engine::quota_reply reply;
    if (answer.outcome.reach != domain::reach::answered) {
        reply.errmsg = answer.outcome.error;
    } else if (answer.outcome.status != 200) {
        reply.errmsg = "HTTP " + std::to_string(answer.outcome.status);
    } else {
        auto read = codec::read_quota_answer(answer.outcome.body);
        reply = {read.standing, read.errcode, std::move(read.errmsg)};
    }
    co_return reply;
}

} // namespace wxcourier::wechat
