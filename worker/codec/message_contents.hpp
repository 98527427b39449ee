// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a `message_set` with `recipients` holds. Internal to the job codec.
#pragma once

#include "codec/job_codec.hpp"
#include "codec/json_document.hpp"

#include <string>
#include <vector>

namespace wxcourier::codec {

struct message_set::fan_out {
    json_document document; ///< `message` and `recipients` point into it.
    json_value message;
    std::vector<json_value> recipients; ///< Openids or objects; never empty.
    std::string app;
    std::string id;
    bool takes_client_msg_id = false;
};

} // namespace wxcourier::codec
