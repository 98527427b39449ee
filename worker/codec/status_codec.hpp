// SPDX-License-Identifier: Apache-2.0
/// @file
/// Status records as JSON, and back for `tail` and the dashboard.
#pragma once

#include "domain/status_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// One line of JSON, raw UTF-8, members in the order of docs/reference.md. `errmsg` is cut at 256 bytes, at a
/// character's boundary. `latency_ms` is derived; it is absent without `finished_at`.
std::string encode_status(const domain::status_record& status);

/// Reads what `encode_status` of this or a neighbouring release wrote; unknown members are ignored. Empty: no status.
std::optional<domain::status_record> decode_status(std::string_view json);

} // namespace wxcourier::codec
