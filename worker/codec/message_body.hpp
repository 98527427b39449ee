// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is posted to WeChat for one message of a job.
#pragma once

#include "codec/json_document.hpp"

#include <string>
#include <string_view>

namespace wxcourier::codec {

/// What a body is made of besides the job's `message`.
struct body_parts {
    std::string_view app;
    std::string_view job_id;
    bool takes_client_msg_id = false; ///< The kind does: a message without one gets ours.
};

/// The openid of a recipient: the string itself, or the object's `touser`.
std::string_view openid_of(json_value recipient) noexcept;

/// Appends the body of a message that names its recipient itself: word for word, without `access_token`, with a
/// `client_msg_id` where the kind takes one and the job gives none.
/// @param raw  the message as it stood in the job, if it is at hand: bytes that need no change go out as they came.
void append_body(std::string& out, json_value message, std::string_view raw, const body_parts& parts);

/// The same for one of `recipients`: an openid is added to the message, an object is merged into it.
void append_body(std::string& out, json_value message, json_value recipient, const body_parts& parts);

} // namespace wxcourier::codec
