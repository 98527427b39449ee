// SPDX-License-Identifier: Apache-2.0
#include "common/moment.hpp"

#include <optional>

namespace wxcourier {
namespace {

struct readings {
    unsigned depth = 0; ///< Moments that live, one inside the other.
    std::optional<steady_time> steady;
    std::optional<wall_time> wall;

    void forget() noexcept
    {
        steady.reset();
        wall.reset();
    }
};

constinit thread_local readings held;

wall_time read_wall() noexcept
{
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

} // namespace

moment::moment() noexcept
{
    ++held.depth;
    held.forget();
}

moment::~moment()
{
    --held.depth;
    held.forget();
}

steady_time moment::steady_now() noexcept
{
    if (held.depth == 0)
        return steady_clock::now();
    if (!held.steady)
        held.steady = steady_clock::now();
    return *held.steady;
}

wall_time moment::wall_now() noexcept
{
    if (held.depth == 0)
        return read_wall();
    if (!held.wall)
        held.wall = read_wall();
    return *held.wall;
}

} // namespace wxcourier
