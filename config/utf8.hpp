// SPDX-License-Identifier: Apache-2.0
/// @file
/// The little that the configuration must know of its bytes before anything parses them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wxcourier::config {

/// The offset of the first byte that does not belong to well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong).
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// The number of characters in well-formed UTF-8.
std::size_t count_characters(std::string_view text);

/// An ASCII control character, tab and line end included.
inline bool is_control(char each)
{
    const auto byte = static_cast<unsigned char>(each);
    return byte < 0x20 || byte == 0x7F;
}

} // namespace wxcourier::config
