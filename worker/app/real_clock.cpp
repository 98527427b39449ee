// SPDX-License-Identifier: Apache-2.0
#include "app/real_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;

class timer_alarm final : public engine::alarm {
public:
    explicit timer_alarm(const asio::any_io_executor& executor) : timer_(executor) {}

    asio::awaitable<bool> wait_until(std::optional<steady_time> deadline) override
    {
        if (std::exchange(woken_, false))
            co_return false;
        timer_.expires_at(deadline.value_or(steady_time::max()));
        waiting_ = true;
        const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        waiting_ = false;
        if (!error)
            co_return true;
        if (!std::exchange(woken_, false))
            throw boost::system::system_error(error); // not a wake: the coroutine itself was cancelled
        co_return false;
    }

    void wake() override
    {
        woken_ = true;
        // A timer that has fired already has nothing to cancel; the wake is kept for the next wait then.
        if (waiting_)
            timer_.cancel();
    }

private:
    asio::steady_timer timer_;
    bool woken_ = false;
    bool waiting_ = false;
};

} // namespace

std::unique_ptr<engine::alarm> real_clock::make_alarm()
{
    return std::make_unique<timer_alarm>(executor_);
}

} // namespace wxcourier::app
