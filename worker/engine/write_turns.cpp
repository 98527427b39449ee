// SPDX-License-Identifier: Apache-2.0
#include "engine/write_turns.hpp"

#include <algorithm>

namespace wxcourier::engine {

asio::awaitable<bool> write_turns::wait(domain::app_index app, std::optional<steady_time> deadline)
{
    auto& waiting = lines_[app];
    const std::shared_ptr<alarm> own = time_.make_alarm();
    waiting.push_back(own);
    queue_.note_held_up(app, waiting.size(), time_.now());
    bool granted = false;
    while (!abandoned_) {
        const auto now = time_.now();
        const bool first = waiting.front() == own;
        granted = first && queue_.take_to_write(app, now);
        if (granted || (deadline && now >= *deadline))
            break;
        auto until = deadline;
        if (const auto at = queue_.write_at(app, now); first && at)
            until = std::min(until.value_or(*at), *at);
        co_await own->wait_until(until);
    }
    leave(app, own);
    co_return granted;
}

void write_turns::leave(domain::app_index app, const std::shared_ptr<alarm>& who)
{
    auto& waiting = lines_[app];
    waiting.erase(std::find(waiting.begin(), waiting.end(), who));
    queue_.note_held_up(app, waiting.size(), time_.now());
    if (!waiting.empty())
        waiting.front()->wake();
}

void write_turns::look_again()
{
    for (auto& each : lines_)
        if (!each.empty())
            each.front()->wake();
}

void write_turns::abandon()
{
    abandoned_ = true;
    for (auto& each : lines_)
        for (auto& who : each)
            who->wake();
}

} // namespace wxcourier::engine
