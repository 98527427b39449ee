// SPDX-License-Identifier: Apache-2.0
/// @file
/// Keeps a flood of like lines out of the log: a broker that is away, or a producer that writes nonsense, would repeat
/// the same line for hours and hide all others.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier {

/// Lets through at most `burst` lines of a kind in `window` and counts the others; the count is told with the next line
/// that passes, or by `overdue` when none follows. Not thread-safe.
class log_throttle {
public:
    /// Kinds it counts, most. Beyond them lines pass uncounted: kinds are few, unless a defect makes them of data.
    static constexpr std::size_t most_kinds = 512;

    explicit log_throttle(std::uint32_t burst = 3, seconds window = seconds{30}) : burst_(burst), window_(window) {}

    /// Whether a line of this kind may go out now, and how many of it were kept back before it.
    struct decision {
        bool pass = false;
        std::uint64_t kept_back = 0;
    };
    decision admit(std::string_view kind, steady_time now);

    /// A kind of which lines were kept back, and whose window has ended with nothing following.
    struct remainder {
        std::string kind;
        std::uint64_t kept_back = 0;
    };
    /// Each such kind, once; forgets kinds whose window has ended. Looks at most once a window, so it is cheap to call
    /// before every line.
    std::vector<remainder> overdue(steady_time now);

private:
    struct counter {
        steady_time window_start{};
        std::uint32_t passed = 0;
        std::uint64_t kept_back = 0;
    };

    std::uint32_t burst_;
    seconds window_;
    steady_time next_look_{};
    std::map<std::string, counter, std::less<>> counters_;
};

} // namespace wxcourier
