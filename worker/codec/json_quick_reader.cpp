// SPDX-License-Identifier: Apache-2.0
#include "codec/json_quick_reader.hpp"

#include "codec/byte_blocks.hpp"
#include "codec/utf8.hpp"

#include <cstring>

namespace wxcourier::codec {
namespace {

/// Digits of the longest number that is surely within a double's range.
constexpr std::ptrdiff_t longest_number = 300;

constexpr bool is_digit(char byte) noexcept
{
    return byte >= '0' && byte <= '9';
}

/// Whether three bytes are one of the characters U+1000–U+CFFF or U+E000–U+FFFF: nearly all Chinese text. Those with
/// the leads E0 and ED have rules of their own.
bool is_usual_three(const char* at) noexcept
{
    const auto byte = [at](std::size_t index) { return static_cast<unsigned char>(at[index]); };
    return (byte(0) & 0xF0U) == 0xE0 && byte(0) != 0xE0 && byte(0) != 0xED && (byte(1) & 0xC0U) == 0x80 &&
           (byte(2) & 0xC0U) == 0x80;
}

} // namespace

bool json_document::quick_reader::read()
{
    // Every turn reads a value, or opens a container, and what stands behind it up to the next value.
    for (;;) {
        pass_blanks();
        if (*at_ == '{' || *at_ == '[') {
            const auto type = *at_ == '{' ? json_type::object : json_type::array;
            if (!open(type))
                return false;
            pass_blanks();
            if (*at_ != (type == json_type::object ? '}' : ']')) {
                if (type == json_type::object && !read_key())
                    return false;
                continue;
            }
        } else if (!read_scalar()) {
            return false;
        }
        for (;;) { // A value has ended, or an empty container is about to.
            pass_blanks();
            if (depth_ == 0)
                return at_ == end_;
            const auto type = document_.nodes_[open_[depth_ - 1].node].type;
            if (*at_ == ',') {
                ++at_;
                pass_blanks();
                if (type == json_type::object && !read_key())
                    return false;
                break;
            }
            if (!close(type))
                return false;
        }
    }
}

void json_document::quick_reader::pass_blanks() noexcept
{
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')
        ++at_;
}

void json_document::quick_reader::add(json_type type, text content)
{
    if (depth_ > 0)
        ++open_[depth_ - 1].children;
    const auto next = static_cast<std::uint32_t>(document_.nodes_.size()) + 1;
    document_.nodes_.push_back({key_.offset, key_.length, content.offset, 0, content.length, next, type});
    key_.length = 0;
}

bool json_document::quick_reader::open(json_type type)
{
    if (depth_ == open_.size())
        return false;
    add(type, {type == json_type::object ? here() : 0, 0});
    const auto index = static_cast<std::uint32_t>(document_.nodes_.size()) - 1;
    open_[depth_++] = {index, 0};
    ++at_;
    return true;
}

bool json_document::quick_reader::close(json_type type)
{
    if (*at_ != (type == json_type::object ? '}' : ']'))
        return false;
    ++at_;
    const auto [index, children] = open_[--depth_];
    auto& container = document_.nodes_[index];
    container.text_length = children;
    container.end = static_cast<std::uint32_t>(document_.nodes_.size());
    if (type == json_type::array)
        return true;
    container.text_end = here();
    return document_.index_members(index) == 0;
}

bool json_document::quick_reader::read_key()
{
    if (*at_ != '"' || !read_string(key_))
        return false;
    pass_blanks();
    return *at_++ == ':';
}

bool json_document::quick_reader::read_scalar()
{
    switch (*at_) {
    case '"': {
        text content;
        if (!read_string(content))
            return false;
        add(json_type::string, content);
        return true;
    }
    case 't':
        return read_word("true", 4, json_type::boolean, 1);
    case 'f':
        return read_word("false", 5, json_type::boolean, 0);
    case 'n':
        return read_word("null", 4, json_type::null, 0);
    default:
        return read_number();
    }
}

bool json_document::quick_reader::read_string(text& into)
{
    const char* to = ++at_;
    for (;;) {
        std::uint64_t marks = 0;
        while ((marks = mark_specials(load_block(to)) | mark_non_ascii(load_block(to))) == 0)
            to += block_size;
        to += first_marked(marks);
        if (static_cast<unsigned char>(*to) < 0x80)
            break;
        while (is_usual_three(to))
            to += 3;
        if (static_cast<unsigned char>(*to) >= 0x80) {
            const auto length = utf8_sequence({to, 4}); // The padding ends a sequence that the text cuts short.
            if (length == 0)
                return false;
            to += length;
        }
    }
    if (*to != '"')
        return false; // An escape, a control character, or the end.
    into = {here(), static_cast<std::uint32_t>(to - at_)};
    at_ = to + 1;
    return true;
}

bool json_document::quick_reader::read_number()
{
    const char* to = at_ + (*at_ == '-' ? 1 : 0);
    if (!is_digit(*to) || (*to == '0' && is_digit(to[1])))
        return false;
    while (is_digit(*to))
        ++to;
    if (*to == '.') {
        if (!is_digit(*++to))
            return false;
        while (is_digit(*to))
            ++to;
    }
    if (*to == 'e' || *to == 'E' || to - at_ > longest_number)
        return false;
    add(json_type::number, {here(), static_cast<std::uint32_t>(to - at_)});
    at_ = to;
    return true;
}

bool json_document::quick_reader::read_word(const char* word, std::size_t length, json_type type, std::uint32_t value)
{
    if (std::memcmp(at_, word, length) != 0)
        return false;
    at_ += length;
    add(type, {0, value});
    return true;
}

} // namespace wxcourier::codec
