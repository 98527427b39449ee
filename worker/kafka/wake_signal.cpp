// SPDX-License-Identifier: Apache-2.0
#include "kafka/wake_signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <vector>

namespace wxcourier::kafka {

void wake_signal::notify()
{
    for (asio::steady_timer* waiter : waiting_) {
        waiter->cancel();
    }
}

asio::awaitable<bool> wake_signal::wait_for(std::function<bool()> condition, steady_time deadline)
{
    bool holds = condition();
    while (!holds && steady_clock::now() < deadline) {
        asio::steady_timer timer(loop_, deadline);
        waiting_.push_back(&timer);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        std::erase(waiting_, &timer);
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        holds = condition();
    }
    co_return holds;
}

} // namespace wxcourier::kafka
