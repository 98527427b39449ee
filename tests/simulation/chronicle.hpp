// SPDX-License-Identifier: Apache-2.0
/// @file
/// What makes a run repeat exactly, and what is kept of it: the seeded draws, a digest, the trace, the first violation.
#pragma once

#include "common/time.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <utility>

namespace wxcourier::simulation {

namespace asio = boost::asio;

/// One run's account of itself.
class chronicle {
public:
    chronicle(std::uint64_t seed, bool tracing, const test::manual_clock& time)
        : random_(seed), tracing_(tracing), time_(time), began_(time.now())
    {
    }

    // ------------------------------------------------------------------------------------------------------- draws
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    [[nodiscard]] bool chance(double probability)
    {
        return static_cast<double>(random_() >> 11U) * 0x1.0p-53 < probability;
    }
    [[nodiscard]] milliseconds between(milliseconds least, milliseconds most)
    {
        return least + milliseconds{below(static_cast<std::uint64_t>((most - least).count()) + 1)};
    }

    // ----------------------------------------------------------------------------------------------------- account
    /// Notes an event. `text` is called only where the trace is wanted.
    template <typename F>
    void note(std::uint64_t code, F text)
    {
        digest_ = (digest_ ^ code ^ static_cast<std::uint64_t>(time_.now().time_since_epoch().count())) *
                  0x9E3779B97F4A7C15ULL;
        digest_ ^= digest_ >> 29U;
        if (!tracing_)
            return;
        const auto at = std::chrono::duration_cast<milliseconds>(time_.now() - began_).count();
        trace_.push_back(std::to_string(at) + " ms  " + text());
        if (trace_.size() > longest_trace)
            trace_.pop_front();
    }

    /// A rule was broken. The first one counts.
    void violate(std::string what)
    {
        note(0xBAD, [&what] { return "VIOLATION: " + what; });
        if (violation_.empty())
            violation_ = std::move(what);
    }
    void require(bool holds, const char* rule)
    {
        if (!holds)
            violate(rule);
    }

    [[nodiscard]] const std::string& violation() const { return violation_; }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    [[nodiscard]] const std::deque<std::string>& trace() const { return trace_; }
    [[nodiscard]] steady_duration elapsed() const { return time_.now() - began_; }

private:
    static constexpr std::size_t longest_trace = 1000;

    std::mt19937_64 random_;
    bool tracing_;
    const test::manual_clock& time_;
    steady_time began_;
    std::uint64_t digest_ = 1;
    std::deque<std::string> trace_;
    std::string violation_;
};

} // namespace wxcourier::simulation
