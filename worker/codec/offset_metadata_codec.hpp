// SPDX-License-Identifier: Apache-2.0
/// @file
/// Commit metadata: `commit_progress` as short printable text, and back. Kafka keeps at most 4,096 bytes of it with a
/// commit (`offset.metadata.max.bytes`), and librdkafka before 2.6.1 damages NULs, hence text.
#pragma once

#include "domain/commit_progress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// What brokers keep by default.
inline constexpr std::size_t longest_offset_metadata = 4096;

/// The smallest of several encodings (ranges or bitmap, of varints, in base64url), behind a version. Empty progress
/// gives an empty string. It may be longer than brokers keep: the caller looks.
/// @param committed  the offset committed with it; every finished offset lies at or above it.
std::string encode_offset_metadata(std::int64_t committed, const domain::commit_progress& progress);

/// Reads what any release wrote. Empty string: empty progress. Empty optional: not ours, damaged or hostile; the caller
/// counts it and goes on as if there were none. Never allocates more than the text can name.
std::optional<domain::commit_progress> decode_offset_metadata(std::int64_t committed, std::string_view text);

} // namespace wxcourier::codec
