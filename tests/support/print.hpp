// SPDX-License-Identifier: Apache-2.0
/// @file
/// How the domain's values look when a test fails: words instead of bytes. GoogleTest finds these by their arguments.
#pragma once

#include "domain/commit_progress.hpp"
#include "domain/status_record.hpp"

#include <ostream>

namespace wxcourier::domain {

inline void PrintTo(const index_range& range, std::ostream* out)
{
    *out << range.first << '-' << range.last;
}

inline void PrintTo(job_state state, std::ostream* out)
{
    *out << to_string(state);
}

inline void PrintTo(const status_record& status, std::ostream* out)
{
    *out << status.touser.value_or("(null)") << ' ' << to_string(status.state) << ' ' << status.reason;
}

} // namespace wxcourier::domain
