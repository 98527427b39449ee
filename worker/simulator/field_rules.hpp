// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the value of a template field may hold: the type is the field's name without its number (`thing1`).
#pragma once

#include <cstdint>
#include <string_view>

namespace wxcourier::simulator {

enum class field_verdict : std::uint8_t { fine, empty, invalid };

/// Checks a value against the published table of field types. Names that are no type followed by a number (`first`,
/// `remark`, `keyword1` and other fields of historic templates) take any value, also none. Characters are code points:
/// how WeChat counts those beyond the BMP is not published.
field_verdict check_field(std::string_view name, std::string_view value) noexcept;

} // namespace wxcourier::simulator
