// SPDX-License-Identifier: Apache-2.0
/// @file
/// The key by which WeChat drops a repeat.
#pragma once

#include <string>
#include <string_view>

namespace wxcourier::codec {

/// The first 32 lower-case hex digits of SHA-256(app 0x00 id 0x00 touser): the same for every attempt at a message, by
/// whichever replica, so that WeChat itself drops the second one (docs/reference.md, delivery semantics).
std::string client_msg_id(std::string_view app, std::string_view job_id, std::string_view touser);

} // namespace wxcourier::codec
