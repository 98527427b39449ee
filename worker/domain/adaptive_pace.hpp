// SPDX-License-Identifier: Apache-2.0
/// @file
/// How fast WeChat lets an app's call go: slower as soon as it says or shows that it cannot keep up, back to what is
/// configured step by step once it can.
#pragma once

#include "common/time.hpp"
#include "domain/push_reply.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wxcourier::domain {

/// Why a call goes slower than configured.
enum class pace_reason : std::uint8_t {
    none,              ///< It does not.
    system_busy,       ///< Errcode -1.
    minute_limit,      ///< Errcode 45011.
    too_many_requests, ///< HTTP 429, or 503, which says the same in other words.
    timeout,           ///< No answer in time.
    latency,           ///< Answers take much longer than they did.
    outage,            ///< WeChat was out of reach and has just come back.
};
inline constexpr std::size_t pace_reason_count = 7;

/// The word of a metric and a log line: `configured` for `none`.
std::string_view to_string(pace_reason reason) noexcept;

/// What an answer says about the pace by itself; `none`: nothing.
pace_reason pushback_of(const push_reply& reply) noexcept;

struct pace_limits {
    steady_duration window = seconds{1};          ///< Answers are judged together, for so long at least …
    std::size_t answers = 20;                     ///< … and so many …
    steady_duration longest_window = seconds{10}; ///< … or for so long.
    std::size_t pushbacks = 4;                    ///< Fewer of a window say nothing …
    double pushback_part = 0.15;                  ///< … nor does a smaller part of its answers.
    double decrease = 0.5;                        ///< What a pushback leaves of the pace …
    double latency_decrease = 0.7;                ///< … and what rising latency does.
    double latency_factor = 3;                    ///< A window is slow whose median is beyond the usual one by this …
    milliseconds latency_margin{250};             ///< … and this; single slow answers do not move a median.
    int slow_windows = 3;                         ///< In a row, before latency counts.
    double floor = 0.01;                          ///< Of the ceiling; but a message a second always goes.
    double after_outage = 0.25;                   ///< Of the ceiling.
    /// From nothing to the ceiling, once WeChat is well.
    steady_duration recovery = seconds{30};
};

/// Additive increase, multiplicative decrease. The ceiling, the app's configured rate as far as it is this replica's,
/// is the caller's; the pace is a fraction of it, so that it follows when the ceiling moves. A decrease starts from
/// what really went, if that was less than allowed, and counts once for all requests that were under way at the time.
/// Without pushback and rising latency the fraction is 1 and stays it. Pure: the caller brings the time. Not
/// thread-safe.
class adaptive_pace {
public:
    explicit adaptive_pace(const pace_limits& limits = {}) : limits_(limits) {}

    /// An answer, or the lack of one, to a request that began at `began`.
    /// @param per_second  the ceiling now. Greater than zero.
    /// @return whether `fraction` has changed.
    bool on_answer(const push_reply& reply, steady_time began, double per_second, steady_time now) noexcept;

    /// WeChat is within reach again after an outage: what has waited does not fall upon it at once. True: it changed.
    bool on_outage_over(steady_time now) noexcept;

    /// Of the ceiling: greater than 0, at most 1.
    [[nodiscard]] double fraction() const noexcept { return fraction_; }
    /// What it went down for last; `none` at the ceiling.
    [[nodiscard]] pace_reason reason() const noexcept { return reason_; }

private:
    /// Milliseconds in steps of a quarter of a power of two: enough for a median.
    static constexpr std::size_t latency_steps = 72;

    bool judge(double per_second, steady_time now) noexcept;
    bool slow_down(double factor, pace_reason why, double per_second, steady_time now) noexcept;
    bool speed_up(steady_time now) noexcept;
    bool latency_rises() noexcept;
    void open_window(steady_time now) noexcept;

    pace_limits limits_;
    double fraction_ = 1;
    pace_reason reason_ = pace_reason::none;
    steady_time slowed_at_ = steady_time::min(); ///< Requests that began before say nothing more.
    steady_time judged_at_ = steady_time::min(); ///< The last window's end.
    double usual_latency_ = -1;                  ///< Median of good windows, in ms; below zero: not known.
    int slow_windows_ = 0;

    // The window.
    steady_time window_began_{};
    std::size_t answers_ = 0; ///< 0: the next answer begins it.
    std::array<std::uint32_t, pace_reason_count> pushbacks_{};
    std::array<std::uint32_t, latency_steps> latencies_{};
    std::size_t measured_ = 0;
};

} // namespace wxcourier::domain
