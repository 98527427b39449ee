// SPDX-License-Identifier: Apache-2.0
#include "codec/text_facts.hpp"

#include "codec/byte_blocks.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::codec {
namespace {

struct code_points {
    char32_t first;
    char32_t last;
};

// config/schema/job.schema.json has the same ranges in its patterns.
constexpr std::array unprintable{
    code_points{0x00, 0x1F},     code_points{0x7F, 0x9F},     code_points{0x200B, 0x200F}, code_points{0x2028, 0x202E},
    code_points{0x2060, 0x206F}, code_points{0xFEFF, 0xFEFF}, code_points{0xFFF9, 0xFFFB}, code_points{0xFFFE, 0xFFFF},
};

constexpr bool is_printable(char32_t character) noexcept
{
    return std::ranges::none_of(
        unprintable, [character](code_points range) { return range.first <= character && character <= range.last; });
}

/// Decodes one character and drops it from `text`, which is UTF-8 (surrogates may be encoded as if they were
/// characters).
char32_t take_character(std::string_view& text) noexcept
{
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t character = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t at = 1; at < std::min(length, text.size()); ++at)
        character = character << 6 | (static_cast<unsigned char>(text[at]) & 0x3FU);
    text.remove_prefix(std::min(length, text.size()));
    return character;
}

} // namespace

text_facts examine(std::string_view text) noexcept
{
    text_facts facts;
    while (!text.empty()) {
        // Ids and openids are plain ASCII, and a block at a time then. (A quote or backslash merely ends the short
        // cut.)
        while (text.size() >= block_size) {
            const auto block = load_block(text.data());
            const auto deletes = block ^ (each_low_bit * 0x7F);
            if ((mark_specials(block) | mark_non_ascii(block) |
                 ((deletes - each_low_bit) & ~deletes & each_high_bit)) != 0)
                break;
            facts.characters += block_size;
            text.remove_prefix(block_size);
        }
        if (text.empty())
            break;
        const auto character = take_character(text);
        ++facts.characters;
        if (character >= 0x20 && character < 0x7F)
            continue;
        if (character >= 0xD800 && character <= 0xDFFF)
            facts.well_formed = facts.printable = false;
        else if (!is_printable(character))
            facts.printable = false;
    }
    return facts;
}

} // namespace wxcourier::codec
