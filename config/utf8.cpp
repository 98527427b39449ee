// SPDX-License-Identifier: Apache-2.0
#include "config/utf8.hpp"

#include <algorithm>

namespace wxcourier::config {

namespace {

/// What may follow a first byte: how many bytes, and the range of the second (RFC 3629, section 4).
struct sequence_rule {
    std::size_t following;
    unsigned char second_low;
    unsigned char second_high;
};

std::optional<sequence_rule> rule_for(unsigned char first)
{
    if (first < 0x80)
        return sequence_rule{0, 0, 0};
    if (first >= 0xC2 && first <= 0xDF)
        return sequence_rule{1, 0x80, 0xBF};
    if (first >= 0xE0 && first <= 0xEF)
        return sequence_rule{2, static_cast<unsigned char>(first == 0xE0 ? 0xA0 : 0x80),
                             static_cast<unsigned char>(first == 0xED ? 0x9F : 0xBF)};
    if (first >= 0xF0 && first <= 0xF4)
        return sequence_rule{3, static_cast<unsigned char>(first == 0xF0 ? 0x90 : 0x80),
                             static_cast<unsigned char>(first == 0xF4 ? 0x8F : 0xBF)};
    return std::nullopt;
}

} // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text)
{
    const auto byte_at = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    for (std::size_t i = 0; i < text.size();) {
        const auto rule = rule_for(byte_at(i));
        if (!rule || text.size() - i <= rule->following)
            return i;
        for (std::size_t k = 1; k <= rule->following; ++k) {
            const auto low = k == 1 ? rule->second_low : 0x80;
            const auto high = k == 1 ? rule->second_high : 0xBF;
            if (byte_at(i + k) < low || byte_at(i + k) > high)
                return i;
        }
        i += rule->following + 1;
    }
    return std::nullopt;
}

std::size_t count_characters(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char each) { return (static_cast<unsigned char>(each) & 0xC0U) != 0x80U; }));
}

} // namespace wxcourier::config
