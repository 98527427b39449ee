// SPDX-License-Identifier: Apache-2.0
/// @file
/// Records of the fleet topic, as JSON and back. Releases N and N-1 run side by side: a type or a member that a reader
/// does not know is skipped, what changes meaning gets a new `version`.
#pragma once

#include "domain/fleet_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

std::string encode_fleet_record(const domain::fleet_record& record);

/// What a record's value says.
struct read_fleet_record {
    std::optional<domain::fleet_record> record;
    /// No record because it is of a type or version that this release does not know; otherwise it is damaged.
    bool unknown = false;
};
read_fleet_record decode_fleet_record(std::string_view json);

} // namespace wxcourier::codec
