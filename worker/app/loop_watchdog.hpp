// SPDX-License-Identifier: Apache-2.0
/// @file
/// Notices that the event loop hangs. What runs on the loop cannot: neither its timers nor /livez, which it serves.
#pragma once

#include "common/time.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace wxcourier::app {

struct watchdog_limits {
    milliseconds look_every{1000};
    /// So many looks in a row at a loop that did not turn: it hangs. Looks are counted, not time, so that a process or
    /// machine that stood still as a whole (SIGSTOP, a suspended guest) is not taken for a hung loop when it goes on.
    int looks = 30;
};

/// A thread that asks the loop for a sign of life and says when none comes.
class loop_watchdog {
public:
    /// @param loop  one thread runs it. Must outlive what this posts to it.
    /// @param on_hang  called at most once, on the watchdog's own thread.
    loop_watchdog(boost::asio::any_io_executor loop, watchdog_limits limits, std::function<void()> on_hang);
    loop_watchdog(const loop_watchdog&) = delete;
    loop_watchdog& operator=(const loop_watchdog&) = delete;
    /// Waits for the thread, not for the loop.
    ~loop_watchdog();

    /// How often the loop has answered. Thread-safe.
    [[nodiscard]] std::uint64_t answers() const noexcept;

private:
    struct pulse;

    void watch();

    boost::asio::any_io_executor loop_;
    watchdog_limits limits_;
    std::function<void()> on_hang_;
    std::shared_ptr<pulse> pulse_; ///< Shared with what waits in the loop.
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;
    std::thread thread_;
};

/// What `wxcourier run` does about a hung loop: says so and ends the process with 1, without a drain, which would need
/// the loop. Its partitions move on, and whoever supervises it starts it anew.
[[noreturn]] void end_hung_process() noexcept;

} // namespace wxcourier::app
