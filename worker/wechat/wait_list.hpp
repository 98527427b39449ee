// SPDX-License-Identifier: Apache-2.0
/// @file
/// Coroutines of one loop that wait for the same thing: a DNS answer, a connection, a turn.
#pragma once

#include "common/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>

namespace wxcourier::wechat {

namespace asio = boost::asio;

/// Whoever waits is woken in turn. Must outlive its waiters. Not thread-safe.
class wait_list {
public:
    explicit wait_list(asio::io_context& io) : io_(io) {}
    wait_list(const wait_list&) = delete;
    wait_list& operator=(const wait_list&) = delete;

    /// Waits for a wake-up. False: the deadline passed, or the coroutine was cancelled.
    asio::awaitable<bool> wait(steady_time deadline);

    [[nodiscard]] bool empty() const noexcept { return waiters_.empty(); }

    /// Whoever is woken goes on in a later turn of the loop, never inside the call.
    void wake_one();
    void wake_all();

private:
    struct waiter;

    asio::io_context& io_;
    std::deque<waiter*> waiters_;
};

} // namespace wxcourier::wechat
