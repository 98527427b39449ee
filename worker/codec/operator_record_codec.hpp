// SPDX-License-Identifier: Apache-2.0
/// @file
/// Operators' words as members of a fleet record; part of codec/fleet_record_codec, which writes what is around them.
#pragma once

#include "codec/json_document.hpp"
#include "domain/fleet_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

// Each appends members to an object that is open and has some already.
void append_members(std::string& json, const domain::operator_probe_record& record);
void append_members(std::string& json, const domain::operator_change_record& record);
void append_members(std::string& json, const domain::operator_state_record& record);

// Each reads what the function above wrote, or a newer release with more members. Empty: damaged.
std::optional<domain::operator_probe_record> read_operator_probe(json_value object);
std::optional<domain::operator_change_record> read_operator_change(json_value object);
std::optional<domain::operator_state_record> read_operator_state(json_value object);

/// A number of JSON as a double. Empty: no number, or none that a double holds.
std::optional<double> real_number(json_value value);
/// Appends the shortest text that reads back as the same number.
void append_real(std::string& json, double value);

} // namespace wxcourier::codec
