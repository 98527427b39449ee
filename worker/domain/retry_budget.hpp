// SPDX-License-Identifier: Apache-2.0
/// @file
/// How many of an app's requests may be repeats while WeChat is ill: what fails everywhere gets no better by being
/// asked again by everybody.
#pragma once

#include "common/time.hpp"

#include <array>
#include <cstdint>

namespace wxcourier::domain {

struct retry_budget_limits {
    double part = 0.1;                              ///< Of the requests of the last `window`.
    steady_duration window = seconds{5};            ///< Ten slots of it slide.
    steady_duration lone = seconds{1};              ///< One repeat goes so often, whatever the traffic.
    std::uint32_t failures = 10;                    ///< Fewer in a window are no illness …
    double failing_part = 0.1;                      ///< … nor is a smaller part of the answers.
    steady_duration look_again = milliseconds{100}; ///< While a repeat waits for the budget.
};

/// WeChat is ill while more than a tenth of the last answers failed and would be asked again. Then repeats are held to
/// a tenth of the requests; while it is well they are fewer by themselves, and nothing is held. Pure: the caller brings
/// the time. Not thread-safe.
class retry_budget {
public:
    explicit retry_budget(const retry_budget_limits& limits = {}) : limits_(limits) {}

    /// A message goes for the first time.
    void on_first(steady_time now) noexcept;
    /// A request has come to its end; `failed`: so that the message is to be sent again for it.
    void on_answer(steady_time now, bool failed) noexcept;
    /// WeChat is within reach again: what failed before says nothing any more.
    void forget_failures() noexcept;

    /// A repeat wants to go. True: it may, and counts. False: not before `next_at`.
    [[nodiscard]] bool try_repeat(steady_time now) noexcept;
    [[nodiscard]] steady_time next_at(steady_time now) const noexcept;

    [[nodiscard]] bool ill(steady_time now) noexcept;

private:
    struct counts {
        std::uint32_t requests = 0; ///< Repeats included.
        std::uint32_t repeats = 0;
        std::uint32_t answers = 0;
        std::uint32_t failures = 0;
    };
    static constexpr std::size_t slots = 10;

    /// Brings the window up to `now`; gives the newest slot.
    counts& slide(steady_time now) noexcept;

    retry_budget_limits limits_;
    std::array<counts, slots> slots_{};
    counts sum_;
    steady_duration::rep newest_ = 0; ///< Number of the newest slot, in slots since the clock began.
    steady_time last_repeat_ = steady_time::min() + std::chrono::hours{24};
};

} // namespace wxcourier::domain
