// SPDX-License-Identifier: Apache-2.0
/// @file
/// How far a long command has come, for whoever sits at the terminal.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <string>

namespace wxcourier::commands {

/// A bar on standard error, redrawn at most ten times a second; nothing at all where that is no terminal.
class progress_bar {
public:
    /// @param total  in the unit of `update`; 0: not known, a count is shown instead of a bar.
    progress_bar(std::string what, std::uint64_t total);
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    /// Leaves the line empty for what is printed next.
    ~progress_bar();

    void update(std::uint64_t done);

private:
    void draw(std::uint64_t done);

    std::string what_;
    std::uint64_t total_;
    bool shown_;
    steady_time next_draw_{};
};

} // namespace wxcourier::commands
