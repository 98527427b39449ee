// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a seed decides before time begins: how the couriers are configured, and how bad the world is.
#pragma once

#include "engine/options.hpp"
#include "tests/simulation/chronicle.hpp"

namespace wxcourier::simulation {

struct setting {
    engine::engine_options engine;
    std::size_t partitions = 4;
    std::size_t processes = 3;
    milliseconds job_every{500};      ///< On average.
    milliseconds fault_every{20'000}; ///< On average.
    std::size_t largest_letter = 1'000'000;
    std::size_t keys = 8; ///< Of the jobs of one partition.
    bool tokens_fail = true;
    bool clocks_jump = false;
};

/// Drawn from the chronicle.
setting draw_setting(chronicle& record);

} // namespace wxcourier::simulation
