// SPDX-License-Identifier: Apache-2.0
/// @file
/// When a request whose connection is there may be written, so that the rate holds for what arrives at WeChat.
#pragma once

#include "domain/send_queue.hpp"
#include "engine/ports.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace wxcourier::engine {

/// The requests that were held up (by a commit, by a new connection) and then find the rate used up wait here, those of
/// an app in the order they came. Not thread-safe.
class write_turns {
public:
    write_turns(domain::send_queue& queue, clock& time) : queue_(queue), time_(time) {}

    void add_app() { lines_.emplace_back(); }

    /// Takes the rate's permit if a request may be written without waiting.
    /// @param at  now, or when the message was popped, if that was but a moment ago.
    [[nodiscard]] bool take(domain::app_index app, steady_time at)
    {
        return lines_[app].empty() && queue_.take_to_write(app, at);
    }
    /// Waits for the permit. False: it did not come before the deadline, or `abandon` was called.
    asio::awaitable<bool> wait(domain::app_index app, std::optional<steady_time> deadline);

    /// An app's rate or share may have changed.
    void look_again();
    /// Nobody waits any longer.
    void abandon();

private:
    using line = std::deque<std::shared_ptr<alarm>>;

    void leave(domain::app_index app, const std::shared_ptr<alarm>& who);

    domain::send_queue& queue_;
    clock& time_;
    std::deque<line> lines_; ///< By app. Coroutines hold references while it grows.
    bool abandoned_ = false;
};

} // namespace wxcourier::engine
