// SPDX-License-Identifier: Apache-2.0
#include "wechat/wait_list.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace wxcourier::wechat {

struct wait_list::waiter {
    waiter(wait_list& list, steady_time deadline) : waiters(list.waiters_), timer(list.io_, deadline)
    {
        waiters.push_back(this);
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter()
    {
        if (!woken) {
            std::erase(waiters, this);
        }
    }

    std::deque<waiter*>& waiters;
    asio::steady_timer timer;
    bool woken = false;
};

asio::awaitable<bool> wait_list::wait(steady_time deadline)
{
    waiter self(*this, deadline);
    co_await self.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return self.woken;
}

void wait_list::wake_one()
{
    if (!waiters_.empty()) {
        waiter& first = *waiters_.front();
        waiters_.pop_front();
        first.woken = true;
        first.timer.cancel();
    }
}

void wait_list::wake_all()
{
    while (!waiters_.empty()) {
        wake_one();
    }
}

} // namespace wxcourier::wechat
