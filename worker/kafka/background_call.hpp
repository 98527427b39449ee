// SPDX-License-Identifier: Apache-2.0
/// @file
/// The few calls of librdkafka that block (committed offsets, watermarks, metadata, destroy) run on a short-lived
/// thread each, never on the loop.
#pragma once

#include "kafka/handles.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <thread>

namespace wxcourier::kafka {

namespace asio = boost::asio;

/// One blocking call on a thread of its own, and its end brought back to the loop.
class background_call {
public:
    /// Runs on the thread. Touches only what it owns (shares of a client, copies); returns soon once `cancelled`.
    using work = std::function<void(const std::atomic<bool>& cancelled)>;

    /// Starts `blocking`. When it has returned, the thread is joined and `finished` called on `loop`.
    background_call(const asio::any_io_executor& loop, work blocking, std::function<void()> finished);
    background_call(const background_call&) = delete;
    background_call& operator=(const background_call&) = delete;
    /// Never blocks: a call that is still running is cancelled and its thread left to end by itself; `finished` is not
    /// called any more.
    ~background_call();

    /// Asks the call to return early; `finished` is called all the same.
    void cancel() noexcept;

private:
    struct shared;

    std::shared_ptr<shared> shared_;
    std::thread thread_;
};

/// The background calls of one object, each kept until it has finished. One loop, one thread.
class background_calls {
public:
    explicit background_calls(asio::any_io_executor loop) : loop_(std::move(loop)), finished_(loop_) {}
    background_calls(const background_calls&) = delete;
    background_calls& operator=(const background_calls&) = delete;

    /// Starts one. `finished`, if given, is called on the loop after it.
    void start(background_call::work blocking, std::function<void()> finished = {});
    /// Gives up a share of a client, the last one if nothing else runs: destroying it can take long.
    void destroy(client_handle client);
    void cancel_all() noexcept;
    /// Waits until none is running. False: not so at the deadline.
    asio::awaitable<bool> wait_idle(steady_time deadline);

private:
    asio::any_io_executor loop_;
    wake_signal finished_;
    std::list<std::unique_ptr<background_call>> running_;
};

} // namespace wxcourier::kafka
