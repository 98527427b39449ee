// SPDX-License-Identifier: Apache-2.0
#include "domain/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace wxcourier::domain {

steady_duration backoff_delay(const backoff_limits& limits, int retry, double jitter) noexcept
{
    const double grown = static_cast<double>(limits.initial.count()) * std::exp2(std::min(retry, 40));
    const double longest = std::min(grown, static_cast<double>(limits.max.count()));
    return std::chrono::duration_cast<steady_duration>(std::chrono::duration<double, std::milli>(longest * jitter));
}

} // namespace wxcourier::domain
