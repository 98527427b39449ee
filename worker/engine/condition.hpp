// SPDX-License-Identifier: Apache-2.0
/// @file
/// Waiting until something has changed, by any number of coroutines.
#pragma once

#include "engine/ports.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace wxcourier::engine {

/// Whoever waits looks at the state again after each wake, as with std::condition_variable. Not thread-safe.
class condition {
public:
    explicit condition(clock& time) : time_(time) {}
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;

    /// Completes at the next `notify`, or at the deadline.
    asio::awaitable<void> wait_until(std::optional<steady_time> deadline)
    {
        const auto own = time_.make_alarm();
        waiters_.push_back(own.get());
        const unregister at_end{*this, own.get()};
        co_await own->wait_until(deadline);
    }

    void notify()
    {
        for (auto* const each : waiters_)
            each->wake();
    }

private:
    struct unregister {
        condition& from;
        alarm* which;
        unregister(condition& owner, alarm* waiter) : from(owner), which(waiter) {}
        unregister(const unregister&) = delete;
        unregister& operator=(const unregister&) = delete;
        ~unregister() { std::erase(from.waiters_, which); }
    };

    clock& time_;
    std::vector<alarm*> waiters_;
};

} // namespace wxcourier::engine
