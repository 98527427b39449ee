// SPDX-License-Identifier: Apache-2.0
#include "common/moment.hpp"

namespace wxcourier {
namespace {

struct readings {
    unsigned depth = 0; ///< Moments that live, one inside the other.
    bool has_steady = false;
    bool has_wall = false;
    steady_time steady{};
    wall_time wall{};

    void forget() noexcept { has_steady = has_wall = false; }
};

constinit thread_local readings held;

wall_time read_wall() noexcept
{
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

} // namespace

void moment::begin() noexcept
{
    ++held.depth;
    held.forget();
}

void moment::end() noexcept
{
    --held.depth;
    held.forget();
}

steady_time moment::steady_now() noexcept
{
    if (held.depth == 0)
        return steady_clock::now();
    if (!held.has_steady) {
        held.steady = steady_clock::now();
        held.has_steady = true;
    }
    return held.steady;
}

wall_time moment::wall_now() noexcept
{
    if (held.depth == 0)
        return read_wall();
    if (!held.has_wall) {
        held.wall = read_wall();
        held.has_wall = true;
    }
    return held.wall;
}

} // namespace wxcourier
