// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads the JSON that jobs are made of in one pass over the bytes. RapidJSON's iterative reader, which goes through a
/// table of states for each token, takes three times as long; it still reads what this one gives up.
#pragma once

#include "codec/json_document.hpp"

#include <array>

namespace wxcourier::codec {

/// Lays a document's nodes as the other reader would. Internal to json_document.
class json_document::quick_reader {
public:
    /// @param length  of the text in the document's buffer; zeros stand behind it.
    quick_reader(json_document& document, std::size_t length)
        : document_(document), base_(document.buffer_.data()), end_(base_ + length), at_(base_)
    {
    }

    /// False: the text has escapes, exponents, very long numbers, equal keys or too many levels, or is no JSON. The
    /// nodes are of no use then, and the text is as it was.
    bool read();

private:
    struct text {
        std::uint32_t offset = 0;
        std::uint32_t length = 0;
    };

    bool read_scalar();
    bool read_key();
    bool read_string(text& into);
    bool read_number();
    bool read_word(const char* word, std::size_t length, json_type type, std::uint32_t value);
    bool open(json_type type);
    bool close(json_type type);
    void pass_blanks() noexcept;
    void add(json_type type, text content);
    [[nodiscard]] std::uint32_t here() const noexcept { return static_cast<std::uint32_t>(at_ - base_); }

    struct level {
        std::uint32_t node = 0;
        std::uint32_t children = 0;
    };

    json_document& document_;
    const char* base_;
    const char* end_;
    const char* at_;
    text key_;
    std::array<level, deepest> open_;
    std::size_t depth_ = 0;
};

} // namespace wxcourier::codec
