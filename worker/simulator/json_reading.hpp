// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reading the JSON bodies of requests as WeChat does.
#pragma once

#include "codec/json_document.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

using codec::json_type;
using codec::json_value;

/// Most bytes of a body that are looked at.
inline constexpr std::size_t longest_json = std::size_t{2} << 20U;

/// The root of the text, parsed into `document`. None: no JSON.
json_value parse_json(codec::json_document& document, std::string_view text);

/// Whether a string of this JSON text holds a `\uXXXX` escape.
bool has_unicode_escape(std::string_view text) noexcept;

/// A member of an object. None: absent, JSON null (which some SDKs write for "not given"), or `object` is no object.
json_value member(json_value object, std::string_view name) noexcept;

/// The text of a string. Empty: no value, or not a string.
std::optional<std::string_view> text_of(json_value value) noexcept;

/// The text of a member that is a string; empty text otherwise.
std::string_view text_member(json_value object, std::string_view name) noexcept;

/// A scalar as WeChat would show it: a string's text, a number's characters, `true`. Empty text for the rest.
std::string_view shown_text(json_value value) noexcept;

} // namespace wxcourier::simulator
