// SPDX-License-Identifier: Apache-2.0
/// @file
/// The key by which WeChat drops a repeat.
#pragma once

#include <array>
#include <string_view>

namespace wxcourier::codec {

/// Hex digits.
using message_key = std::array<char, 32>;

/// The first 32 lower-case hex digits of SHA-256(app 0x00 id 0x00 touser): the same for every attempt at a message, by
/// whichever replica, so that WeChat itself drops the second one (docs/reference.md, delivery semantics).
message_key client_msg_id(std::string_view app, std::string_view job_id, std::string_view touser);

} // namespace wxcourier::codec
