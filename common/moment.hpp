// SPDX-License-Identifier: Apache-2.0
/// @file
/// Clocks that stand still while a piece of work is done. A push asks for the time some fifty times, at 25 ns each.
#pragma once

#include "common/time.hpp"

namespace wxcourier {

/// While one lives, this thread's clocks, as far as they are read here, say what they said at its first question. For
/// work that takes microseconds and never waits: a coroutine's resumption, a handful of records. An inner one begins
/// anew, so what it covers is never older than itself. Without one the clocks run as always.
class moment {
public:
    moment() noexcept;
    moment(const moment&) = delete;
    moment& operator=(const moment&) = delete;
    ~moment();

    [[nodiscard]] static steady_time steady_now() noexcept;
    [[nodiscard]] static wall_time wall_now() noexcept;
};

} // namespace wxcourier
