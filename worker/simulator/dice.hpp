// SPDX-License-Identifier: Apache-2.0
/// @file
/// The simulator's dice: tokens, request ids, jitter and fault probabilities, repeatable from a seed.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <random>
#include <string>

namespace wxcourier::simulator {

class dice {
public:
    /// Seed 0: a different sequence every time.
    explicit dice(std::uint64_t seed) : engine_(seed != 0 ? seed : std::random_device{}()) {}

    std::uint64_t number() { return engine_(); }

    /// True in this share of the calls.
    bool chance(double probability) { return std::generate_canonical<double, 53>(engine_) < probability; }

    /// The middle, give or take up to `spread`; never negative.
    milliseconds around(milliseconds middle, milliseconds spread);

    /// A token as WeChat's look: two digits, `_`, then 133 characters that need no escaping in a URL.
    std::string token();

private:
    std::mt19937_64 engine_;
};

/// ` rid: 8hex-8hex-8hex`; the first eight are the Unix time.
std::string make_rid(wall_time now, std::uint64_t random);

} // namespace wxcourier::simulator
