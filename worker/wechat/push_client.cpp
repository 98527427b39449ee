// SPDX-License-Identifier: Apache-2.0
#include "wechat/push_client.hpp"

#include "codec/wechat_codec.hpp"
#include "common/moment.hpp"
#include "wechat/retry_after.hpp"

#include <array>

namespace wxcourier::wechat {

asio::awaitable<domain::push_reply> push_client::send(engine::push_request request)
{
    const std::array<query_parameter, 1> query{query_parameter{"access_token", request.token}};
    http_request post;
    post.path = request.kind->path;
    post.query = query;
    post.body = request.body;
    post.gate = request.gate;
    const http_answer answer = co_await transport_.exchange(post);
    co_return read_push_reply(answer, moment::wall_now());
}

domain::push_reply read_push_reply(const http_answer& answer, wall_time now)
{
    const exchange_outcome& outcome = answer.outcome;
    domain::push_reply reply;
    reply.reach = outcome.reach;
    reply.failure = outcome.failure;
    reply.http_status = outcome.status;
    reply.latency = answer.latency;
    if (outcome.reach != domain::reach::answered) {
        reply.errmsg = outcome.error;
    } else if (outcome.status == 200) {
        codec::read_push_answer(outcome.body, reply);
    } else {
        reply.errmsg = "HTTP " + std::to_string(outcome.status);
        if (outcome.status == 429 || outcome.status == 503) {
            reply.retry_after = parse_retry_after(outcome.retry_after, now);
        }
    }
    return reply;
}

} // namespace wxcourier::wechat
