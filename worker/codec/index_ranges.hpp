// SPDX-License-Identifier: Apache-2.0
/// @file
/// Indices of recipients in a header: `0-99,731`.
#pragma once

#include "domain/commit_progress.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::codec {

std::string encode_index_ranges(const std::vector<domain::index_range>& ranges);

/// Empty: not ascending and apart, or not in this form.
std::optional<std::vector<domain::index_range>> decode_index_ranges(std::string_view text);

} // namespace wxcourier::codec
