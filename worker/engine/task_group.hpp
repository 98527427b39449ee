// SPDX-License-Identifier: Apache-2.0
/// @file
/// Owner of coroutines: none is detached, none outlives it, no exception of theirs is lost.
#pragma once

#include "engine/ports.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace wxcourier::engine {

/// Runs coroutines on one executor and waits for all of them. Whoever spawns makes sure that they end: by a flag they
/// look at after each wait, and by closing what they wait on. Not thread-safe.
class task_group {
public:
    /// @param on_failure  called on the loop with what a coroutine threw.
    task_group(asio::any_io_executor executor, clock& time, std::function<void(std::exception_ptr)> on_failure);
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    /// Nothing may run any more: join() first.
    ~task_group();

    /// Starts a coroutine; it begins before this returns to the loop's next turn.
    void spawn(asio::awaitable<void> task);
    [[nodiscard]] std::size_t running() const noexcept { return running_; }

    /// Completes with true when none is running, with false at the deadline. One caller at a time.
    asio::awaitable<bool> join(std::optional<steady_time> deadline);

private:
    asio::any_io_executor executor_;
    std::unique_ptr<alarm> ended_;
    std::function<void(std::exception_ptr)> on_failure_;
    std::size_t running_ = 0;
};

} // namespace wxcourier::engine
