// SPDX-License-Identifier: Apache-2.0
/// @file
/// WeChat's answers: JSON → what the engine decides on.
#pragma once

#include "common/secret.hpp"
#include "domain/push_reply.hpp"
#include "domain/quota_inquiry.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// Reads the body of an HTTP 200 answer to a send into `reply`: errcode (a number or a numeric string), errmsg, rid,
/// msgid (digits as written, never through a double). A body that is no JSON object, or has no errcode, makes the
/// outcome unknown (`reach::unknown`, `transport_failure::bad_answer`).
void read_push_answer(std::string_view body, domain::push_reply& reply);

struct token_answer {
    secret token; ///< Empty: none in it.
    seconds expires_in{0};
    std::optional<int> errcode; ///< Empty: absent, or the body was unreadable.
    std::string errmsg;         ///< WeChat's text; never the body itself.
};

/// Reads the body of an answer to a token call. `expires_in` may be a number or a numeric string.
token_answer read_token_answer(std::string_view body);

/// Reads the JSON that a company's own token server answers with.
/// @param token_path    names with dots between: where the token stands.
/// @param expires_path  likewise its seconds left, a number or a numeric string; empty: `expires_in` beside the token.
/// @return `expires_in` is 0 where the reply has none. Without a token `errmsg` says what is wrong with the reply, in
///         words of ours: never what stands in it.
token_answer read_shared_token(std::string_view body, std::string_view token_path, std::string_view expires_path);

struct quota_answer {
    std::optional<domain::quota_standing> standing; ///< Empty: it has none.
    std::optional<int> errcode;                     ///< Empty: absent, or the body was unreadable.
    std::string errmsg;                             ///< WeChat's text; never the body itself.
};

/// Reads the body of an answer to openapi/quota/get. Numbers may be numeric strings.
quota_answer read_quota_answer(std::string_view body);

/// WeChat's request id in an errmsg: the `8hex-8hex-8hex` behind `rid: `. Empty: none.
std::string_view find_rid(std::string_view errmsg) noexcept;

} // namespace wxcourier::codec
