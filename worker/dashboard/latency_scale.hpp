// SPDX-License-Identifier: Apache-2.0
/// @file
/// Latencies in bins whose width grows with the value, so that a percentile of anything between 1 ms and a month is
/// right within 3 % and costs a few counters.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace wxcourier::dashboard {

/// A bin's number. 16 bins for each doubling; one for each millisecond below 16.
using latency_bin = std::uint16_t;

inline constexpr latency_bin no_latency = 0x3FF; ///< Of statuses that are not the end of a message.
inline constexpr latency_bin last_latency_bin = no_latency - 1;

/// The bin a latency falls into; negative ones count as 0.
constexpr latency_bin bin_of(std::int64_t latency_ms) noexcept
{
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency_ms));
    if (value < 16)
        return static_cast<latency_bin>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 5U;
    const auto bin = 16U * (shift + 1U) + static_cast<unsigned>((value >> shift) & 15U);
    return static_cast<latency_bin>(std::min<unsigned>(bin, last_latency_bin));
}

/// The middle of a bin, in milliseconds.
constexpr std::int64_t middle_of(latency_bin bin) noexcept
{
    if (bin < 16)
        return bin;
    const auto shift = static_cast<unsigned>(bin) / 16U - 1U;
    const auto low = (std::int64_t{16} + bin % 16) << shift;
    return low + (std::int64_t{1} << shift) / 2;
}

} // namespace wxcourier::dashboard
