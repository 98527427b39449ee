// SPDX-License-Identifier: Apache-2.0
/// @file
/// A circuit breaker: while WeChat or the network is down, an app probes instead of hammering.
#pragma once

#include "common/time.hpp"
#include "domain/backoff.hpp"

#include <cstdint>

namespace wxcourier::domain {

enum class breaker_state : std::uint8_t { closed, open, half_open };

struct breaker_limits {
    int failures_to_open = 20; ///< In a row, without one readable answer between them.
    backoff_limits open_for{milliseconds{1000}, milliseconds{30'000}};
};

/// Counts failures of the way to WeChat (not WeChat's verdicts on messages). Pure: the caller brings time and jitter.
class breaker {
public:
    explicit breaker(breaker_limits limits = {}) : limits_(limits) {}

    [[nodiscard]] breaker_state state() const noexcept { return state_; }
    /// Where it is open: when the next probe may go.
    [[nodiscard]] steady_time probe_at() const noexcept { return probe_at_; }

    /// A request came through: closes it. True: it was not closed before.
    bool on_success() noexcept;
    /// A request did not come through. True: this opened it (again).
    bool on_failure(steady_time now, double jitter) noexcept;
    /// The time of the probe has come: one request may go.
    void on_probe_time() noexcept;

private:
    breaker_limits limits_;
    breaker_state state_ = breaker_state::closed;
    int failures_ = 0;
    int openings_ = 0;
    steady_time probe_at_{};
};

} // namespace wxcourier::domain
