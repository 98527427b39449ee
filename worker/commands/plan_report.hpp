// SPDX-License-Identifier: Apache-2.0
/// @file
/// What `plan` has found out, and how it tells it.
#pragma once

#include "domain/delivery_forecast.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace wxcourier::commands {

struct app_plan {
    std::string app;
    double rate_per_second = 0;
    std::uint64_t jobs = 0;
    domain::forecast forecast;
};

/// A line that would not come to its end, and why.
struct bad_line {
    std::uint64_t number = 0;
    std::string reason;         ///< The status topic's word.
    std::string error;          ///< For people.
    std::uint64_t messages = 0; ///< Of an expiring job: how many of its messages would. 0: the job is rejected.
};

struct delivery_plan {
    wall_time start{};
    int replicas = 1;
    milliseconds latency{};
    std::uint64_t jobs = 0; ///< Good ones.
    std::uint64_t rejected = 0;
    std::vector<app_plan> apps;      ///< Those with messages.
    std::vector<bad_line> lines;     ///< The first so many.
    bool per_recipient_over = false; ///< A recipient has more messages than its app's limit lets through at once.
};

/// For people: a table, and a line for each quota that runs out.
std::string to_text(const delivery_plan& plan);
/// One JSON object and a line end.
std::string to_json(const delivery_plan& plan);

} // namespace wxcourier::commands
