// SPDX-License-Identifier: Apache-2.0
/// @file
/// A job that `wxcourier replay` has put back.
#pragma once

#include "engine/job_in_progress.hpp"

namespace wxcourier::engine {

/// Marks the recipients that a replayed job is not for as finished: they have had their message. Other jobs stay as
/// they are. False: the headers that say so cannot be read, and nothing may be sent.
bool take_replay_note(job_in_progress& job);

} // namespace wxcourier::engine
