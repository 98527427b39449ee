// SPDX-License-Identifier: Apache-2.0
/// @file
/// A line in the log for each request of a job whose producer traces it: docs/tracing.md.
#pragma once

#include "domain/push_reply.hpp"
#include "engine/job_in_progress.hpp"

#include <string_view>

namespace wxcourier::engine {

/// Writes the request that has just ended as a span under the job's `traceparent`. Nothing, where there is none, it is
/// malformed, or it is not sampled: that costs a look at the job's headers. Never holds an openid or a token.
/// @param now  when the answer came.
void trace_call(const delivery& message, const domain::push_reply& reply, wall_time now, std::string_view worker);

} // namespace wxcourier::engine
