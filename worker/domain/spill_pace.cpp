// SPDX-License-Identifier: Apache-2.0
#include "domain/spill_pace.hpp"

#include <algorithm>
#include <cmath>

namespace wxcourier::domain {
namespace {

/// What a new measurement weighs against the earlier ones.
constexpr double weight = 0.2;
/// Slower than this is not believed: an app that sends nothing for a while is not looked at in a year.
constexpr double slowest = 1;

} // namespace

void spill_pace::measure(steady_time now, bool busy) noexcept
{
    const auto took = measured_ ? std::chrono::duration<double>(now - *measured_).count() : 0.0;
    if (busy && took > 0)
        per_second_ += weight * (static_cast<double>(ended_) / took - per_second_);
    ended_ = 0;
    measured_ = now;
}

wall_time spill_pace::next(wall_time earliest, wall_time now, std::size_t messages) noexcept
{
    const auto start = static_cast<double>(std::max(earliest, now).time_since_epoch().count());
    const auto furthest = start + static_cast<double>(longest.count());
    taken_until_ = std::clamp(taken_until_, start, furthest);
    const wall_time at{milliseconds{std::llround(taken_until_)}};
    taken_until_ += static_cast<double>(messages) * 1000 / std::max(per_second_, slowest);
    return at;
}

} // namespace wxcourier::domain
