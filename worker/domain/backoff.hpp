// SPDX-License-Identifier: Apache-2.0
/// @file
/// Exponential backoff with full jitter: the wait before retry n is drawn evenly from [0, min(max, initial × 2ⁿ)].
#pragma once

#include "common/time.hpp"

namespace wxcourier::domain {

struct backoff_limits {
    milliseconds initial{200}; ///< The longest first wait. Greater than zero.
    milliseconds max{60'000};  ///< The longest wait of all.
};

/// @param retry   0 for the first retry.
/// @param jitter  in [0, 1), drawn by the caller.
steady_duration backoff_delay(const backoff_limits& limits, int retry, double jitter) noexcept;

} // namespace wxcourier::domain
