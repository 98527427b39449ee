// SPDX-License-Identifier: Apache-2.0
/// @file
/// The headers that wxcourier adds to a record on a delayed topic; key, value and the producer's headers stay byte for
/// byte and in front of them.
#pragma once

#include "domain/delayed_job.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::codec {

/// The first of them, and their version: a producer's own `wxcourier.…` headers stand before the last one of this name.
inline constexpr std::string_view delayed_mark = "wxcourier.delayed";

/// `wxcourier.delayed` (the version), `.source`, `.due`, `.enqueued_at`, `.attempts` (the most of any message that has
/// not ended), and what else is known, each only where there is something to say.
std::vector<std::pair<std::string, std::string>> delayed_headers(const domain::delayed_job& job);

/// Reads the headers from the mark on. Unknown ones, as a later release may write, are passed over. Empty: they do not
/// say whose record it is.
std::optional<domain::delayed_job>
decode_delayed_headers(std::span<const std::pair<std::string_view, std::string_view>> headers);

} // namespace wxcourier::codec
