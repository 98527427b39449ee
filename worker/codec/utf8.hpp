// SPDX-License-Identifier: Apache-2.0
/// @file
/// Text from outside that has to become valid UTF-8 before it goes into records other systems read.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// Length of the UTF-8 sequence `text` begins with: 1–4; 0 where none does (stray or missing continuation, overlong
/// form, surrogate, beyond U+10FFFF). `text` must not be empty.
std::size_t utf8_sequence(std::string_view text) noexcept;

/// Appends `text` to `out`, each byte that is no UTF-8 replaced by U+FFFD; stops before the character that would make
/// it more than `limit` bytes.
void append_utf8(std::string& out, std::string_view text, std::size_t limit = std::numeric_limits<std::size_t>::max());

/// Appends `text` as a JSON string, quotes included, characters beyond ASCII as they are. Replaces and cuts as
/// `append_utf8` does; the limit does not count the escapes.
void append_clean_json_string(std::string& out, std::string_view text,
                              std::size_t limit = std::numeric_limits<std::size_t>::max());

} // namespace wxcourier::codec
