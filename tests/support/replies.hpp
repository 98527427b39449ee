// SPDX-License-Identifier: Apache-2.0
/// @file
/// WeChat's answers, and the ways to get none, as tests name them.
#pragma once

#include "domain/push_reply.hpp"
#include "engine/ports.hpp"

#include <string>
#include <utility>

namespace wxcourier::test {

/// HTTP 200 with an errcode; `msgid` where it is 0.
inline domain::push_reply answer(int errcode, std::string errmsg = "ok", std::string msgid = {})
{
    domain::push_reply reply;
    reply.reach = domain::reach::answered;
    reply.http_status = 200;
    reply.errcode = errcode;
    reply.errmsg = std::move(errmsg);
    reply.msgid = std::move(msgid);
    return reply;
}

inline domain::push_reply accepted()
{
    return answer(0, "ok", "9007199254740993");
}

inline domain::push_reply http(int status)
{
    domain::push_reply reply;
    reply.reach = domain::reach::answered;
    reply.http_status = status;
    reply.errmsg = "HTTP " + std::to_string(status);
    return reply;
}

/// The request was written, and no answer came.
inline domain::push_reply no_answer()
{
    domain::push_reply reply;
    reply.reach = domain::reach::unknown;
    reply.failure = domain::transport_failure::timeout;
    reply.errmsg = "timed out";
    return reply;
}

inline domain::push_reply no_connection()
{
    domain::push_reply reply;
    reply.reach = domain::reach::not_sent;
    reply.failure = domain::transport_failure::connect;
    reply.errmsg = "connection refused";
    return reply;
}

inline engine::token_reply token(std::string text, seconds life = seconds{7200})
{
    return {secret(std::move(text)), life, std::nullopt, {}};
}

inline engine::token_reply no_token(std::optional<int> errcode, std::string errmsg = "no token")
{
    return {secret(), seconds{0}, errcode, std::move(errmsg)};
}

} // namespace wxcourier::test
