// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reading the JSON bodies of requests: strict where WeChat is strict, and safe on hostile input.
#pragma once

#include "codec/rapidjson.hpp"

#include <rapidjson/document.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

using json_value = rapidjson::Value;

/// One parsed text at a time; small ones without touching the heap for their values. Not thread-safe.
class json_document {
public:
    json_document() : pool_(buffer_.data(), buffer_.size()), document_(&pool_) {}

    /// The root, valid until the next parse. Null: no JSON text (trailing bytes, NUL and broken UTF-8 count as that).
    const json_value* parse(std::string_view text);

private:
    using pool = rapidjson::MemoryPoolAllocator<>;

    alignas(std::max_align_t) std::array<char, 16 * 1024> buffer_{};
    pool pool_;
    rapidjson::Document document_;
};

/// Whether a string of this JSON text holds a `\uXXXX` escape.
bool has_unicode_escape(std::string_view text) noexcept;

/// A member of an object. Null: absent, JSON null (which some SDKs write for "not given"), or no object.
const json_value* member(const json_value& object, std::string_view name);

/// The text of a string. Empty: null pointer, or not a string.
std::optional<std::string_view> text_of(const json_value* value);

/// The text of a member that is a string; empty text otherwise.
std::string_view text_member(const json_value& object, std::string_view name);

/// A scalar as WeChat would show it: a string's text, a number's digits, `true`. Empty text: null, object or array.
std::string shown_text(const json_value& value);

/// Adds `text` to `out` as a JSON string with its quotes, UTF-8 left as it is; what is no UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

} // namespace wxcourier::simulator
