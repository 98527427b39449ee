// SPDX-License-Identifier: Apache-2.0
#include "engine/task_group.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cassert>
#include <utility>

namespace wxcourier::engine {

task_group::task_group(asio::any_io_executor executor, clock& time, std::function<void(std::exception_ptr)> on_failure)
    : executor_(std::move(executor)), ended_(time.make_alarm()), on_failure_(std::move(on_failure))
{
}

task_group::~task_group()
{
    assert(running_ == 0 && "join() before the end");
}

void task_group::spawn(asio::awaitable<void> task)
{
    ++running_;
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr failure) {
        --running_;
        if (failure)
            on_failure_(failure);
        ended_->wake();
    });
}

asio::awaitable<bool> task_group::join(std::optional<steady_time> deadline)
{
    while (running_ != 0) {
        const bool timed_out = co_await ended_->wait_until(deadline);
        if (timed_out)
            co_return running_ == 0;
    }
    co_return true;
}

} // namespace wxcourier::engine
