// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the linked librdkafka says about itself and about properties, without a client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::kafka {

/// The version linked now, which may be newer than the headers': `2.0.2`.
std::string library_version();

enum class property_answer : std::uint8_t {
    good,
    unknown_name,
    bad_value, ///< Also of a property that is a pointer, which no text can be.
};

/// Whether librdkafka takes a property with this value; no value: whether it knows the name.
property_answer ask_about_property(const std::string& name, std::optional<std::string_view> value);

} // namespace wxcourier::kafka
