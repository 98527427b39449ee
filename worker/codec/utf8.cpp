// SPDX-License-Identifier: Apache-2.0
#include "codec/utf8.hpp"

#include "codec/byte_blocks.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::codec {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

constexpr bool is_between(char byte, unsigned char low, unsigned char high) noexcept
{
    const auto value = static_cast<unsigned char>(byte);
    return value >= low && value <= high;
}

/// ASCII that stands in a JSON string as it is.
constexpr std::array<bool, 256> make_plain_table() noexcept
{
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x80; ++byte)
        plain.at(byte) = byte != '"' && byte != '\\';
    return plain;
}
constexpr auto plain_in_json = make_plain_table();

/// What stands for a quote, a backslash or a control character.
void append_escape(std::string& out, char byte)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    switch (byte) {
    case '"':
        out += "\\\"";
        return;
    case '\\':
        out += "\\\\";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        out += "\\u00";
        out += digits[static_cast<unsigned char>(byte) >> 4U];
        out += digits[static_cast<unsigned char>(byte) & 0x0FU];
    }
}

/// The next character of `text`, which is taken off it, or what replaces it.
std::string_view take_character(std::string_view& text) noexcept
{
    const auto length = utf8_sequence(text);
    const auto character = length == 0 ? replacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
    return character;
}

} // namespace

std::size_t utf8_sequence(std::string_view text) noexcept
{
    // Table 3-7 of the Unicode standard: well-formed byte sequences.
    const char lead = text.front();
    const auto continues = [text](std::size_t at) { return at < text.size() && is_between(text[at], 0x80, 0xBF); };
    const auto second = [text](unsigned char low, unsigned char high) {
        return text.size() > 1 && is_between(text[1], low, high);
    };
    if (is_between(lead, 0x00, 0x7F))
        return 1;
    if (is_between(lead, 0xC2, 0xDF))
        return continues(1) ? 2 : 0;
    if (is_between(lead, 0xE0, 0xEF)) {
        const bool fits = lead == '\xE0' ? second(0xA0, 0xBF) : lead == '\xED' ? second(0x80, 0x9F) : continues(1);
        return fits && continues(2) ? 3 : 0;
    }
    if (is_between(lead, 0xF0, 0xF4)) {
        const bool fits = lead == '\xF0' ? second(0x90, 0xBF) : lead == '\xF4' ? second(0x80, 0x8F) : continues(1);
        return fits && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

void append_utf8(std::string& out, std::string_view text, std::size_t limit)
{
    while (!text.empty()) {
        const auto character = take_character(text);
        if (character.size() > limit)
            return;
        limit -= character.size();
        out += character;
    }
}

void append_clean_json_string(std::string& out, std::string_view text, std::size_t limit)
{
    out += '"';
    while (!text.empty() && limit > 0) {
        std::size_t run = 0;
        while (run + block_size <= std::min(text.size(), limit) &&
               (mark_specials(load_block(text.data() + run)) | mark_non_ascii(load_block(text.data() + run))) == 0)
            run += block_size;
        while (run < text.size() && run < limit && plain_in_json[static_cast<unsigned char>(text[run])])
            ++run;
        out += text.substr(0, run);
        text.remove_prefix(run);
        limit -= run;
        if (text.empty() || limit == 0)
            break;
        if (static_cast<unsigned char>(text.front()) < 0x80) {
            append_escape(out, text.front());
            text.remove_prefix(1);
            --limit;
            continue;
        }
        const auto character = take_character(text);
        if (character.size() > limit)
            break;
        out += character;
        limit -= character.size();
    }
    out += '"';
}

} // namespace wxcourier::codec
