// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a `message_set` holds. Internal to the job codec.
#pragma once

#include "codec/job_codec.hpp"
#include "codec/json_document.hpp"
#include "codec/message_body.hpp"

#include <string>
#include <vector>

namespace wxcourier::codec {

/// A job with one message has `touser` and its finished `body`, one with `recipients` everything else.
struct message_set::contents {
    std::string touser;
    std::string body;

    json_document document; ///< `message` and `recipients` point into it.
    json_value message;
    std::vector<json_value> recipients; ///< Openids or objects; never empty for a job with `recipients`.
    std::string app;
    std::string id;
    bool takes_client_msg_id = false;
};

} // namespace wxcourier::codec
