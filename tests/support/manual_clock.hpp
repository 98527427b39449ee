// SPDX-License-Identifier: Apache-2.0
/// @file
/// Time that a test moves by hand, and the loop that runs in it.
#pragma once

#include "engine/ports.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace wxcourier::test {

namespace asio = boost::asio;

/// Stands still until `advance`. What is due runs in the order of its time, and what is due at one time in the order in
/// which it was asked for, so that a run repeats exactly.
class manual_clock final : public engine::clock {
public:
    /// @param loop  runs everything; polled by `settle` and `advance` only.
    explicit manual_clock(asio::io_context& loop);
    ~manual_clock() override;

    [[nodiscard]] steady_time now() const override { return now_; }
    [[nodiscard]] wall_time wall_now() const override;
    [[nodiscard]] std::unique_ptr<engine::alarm> make_alarm() override;

    /// Moves the wall clock alone, as an administrator or NTP does.
    void adjust_wall(milliseconds by) { wall_ += by; }

    /// Calls `what` when that time has come.
    void at(steady_time when, std::function<void()> what);
    void after(steady_duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }

    /// Runs the loop, and what is due now, until all that is left waits for time. Throws std::runtime_error when that
    /// does not happen: a coroutine is turning round and round.
    void settle();
    /// Moves time forward, through everything that is due on the way.
    void advance(steady_duration by);
    /// Moves time to the next thing that is due, and runs it. False: nothing is due up to `limit`; time stands there.
    bool advance_to_next(steady_time limit);
    /// Advances until `done` says so. False: it did not within `longest`.
    bool advance_until(const std::function<bool()>& done, steady_duration longest);

private:
    class hand_moved_alarm;
    using key = std::pair<steady_time, std::uint64_t>;

    bool run_due();

    asio::io_context& loop_;
    steady_time now_{std::chrono::hours{1000}};
    milliseconds wall_{1'795'335'330'000 - 3'600'000'000}; ///< From steady to wall clock; it begins 2026-11-22.
    std::map<key, std::function<void()>> due_;
    std::uint64_t asked_ = 0;
};

} // namespace wxcourier::test
