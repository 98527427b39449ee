// SPDX-License-Identifier: Apache-2.0
/// @file
/// `/_simulator/…`: what tests and people tell the simulator and ask it, docs/simulator.md.
#pragma once

#include "common/time.hpp"

namespace wxcourier::simulator {

class simulation;
struct http_request;
struct reply;

/// Answers a request whose path begins with `/_simulator/`: 200 with JSON, 400 with what is wrong, 404, 405.
reply answer_control(simulation& what, const http_request& request, wall_time now);

} // namespace wxcourier::simulator
