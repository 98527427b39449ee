// SPDX-License-Identifier: Apache-2.0
/// @file
/// Lets a coroutine wait, with a deadline, for something that a callback on the same loop brings about.
#pragma once

#include "common/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <vector>

namespace wxcourier::kafka {

namespace asio = boost::asio;

/// Wakes every coroutine that waits. One loop, one thread. Must outlive its waiters.
class wake_signal {
public:
    explicit wake_signal(asio::any_io_executor loop) : loop_(std::move(loop)) {}
    wake_signal(const wake_signal&) = delete;
    wake_signal& operator=(const wake_signal&) = delete;

    /// Has those who wait look at their condition.
    void notify();
    /// Waits until `condition` holds, looking at it whenever notified. False: it does not hold at the deadline. Throws
    /// operation_aborted when the coroutine is cancelled.
    asio::awaitable<bool> wait_for(std::function<bool()> condition, steady_time deadline);

private:
    asio::any_io_executor loop_;
    std::vector<asio::steady_timer*> waiting_;
};

} // namespace wxcourier::kafka
