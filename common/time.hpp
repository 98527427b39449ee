// SPDX-License-Identifier: Apache-2.0
/// @file
/// The two clocks. Waits, deadlines and rates use the steady clock; only what a producer, WeChat's calendar or a reader
/// of the status topic names in absolute time uses the wall clock.
#pragma once

#include <chrono>

namespace wxcourier {

using std::chrono::milliseconds;
using std::chrono::seconds;

using steady_clock = std::chrono::steady_clock;
using steady_time = steady_clock::time_point;
using steady_duration = steady_clock::duration;

/// Milliseconds since the Unix epoch, UTC: the resolution of Kafka's timestamps.
using wall_time = std::chrono::sys_time<milliseconds>;

} // namespace wxcourier
