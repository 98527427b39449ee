// SPDX-License-Identifier: Apache-2.0
/// @file
/// Code points of UTF-8 text: what field limits count.
#pragma once

#include <cstddef>
#include <string_view>

namespace wxcourier::simulator {

/// What next_code_point() returns for bytes that are no UTF-8.
inline constexpr char32_t not_utf8 = 0xFFFFFFFF;

/// The code point at `at`, which moves behind it. Malformed: not_utf8, and `at` moves one byte.
inline char32_t next_code_point(std::string_view text, std::size_t& at) noexcept
{
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) {
        return first;
    }
    const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || text.size() - at < more) {
        return not_utf8;
    }
    char32_t point = first & (0x3FU >> more);
    for (std::size_t i = 0; i < more; ++i) {
        const auto byte = static_cast<unsigned char>(text[at + i]);
        if ((byte & 0xC0U) != 0x80) {
            return not_utf8;
        }
        point = (point << 6U) | (byte & 0x3FU);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
        return not_utf8;
    }
    at += more;
    return point;
}

/// How many there are; each malformed byte counts as one.
inline std::size_t count_code_points(std::string_view text) noexcept
{
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) {
        next_code_point(text, at);
    }
    return count;
}

} // namespace wxcourier::simulator
