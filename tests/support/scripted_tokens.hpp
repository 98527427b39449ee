// SPDX-License-Identifier: Apache-2.0
/// @file
/// A token_api whose answers a test writes down.
#pragma once

#include "engine/ports.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/parked_call.hpp"
#include "tests/support/replies.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::test {

/// Gives `token-1`, `token-2`, … for two hours each, but for what is scripted.
class scripted_tokens final : public engine::token_api {
public:
    struct call {
        std::string appid;
        domain::token_call how = domain::token_call::stable;
        steady_time at{};
        std::string app_secret;
    };

    explicit scripted_tokens(manual_clock& time) : time_(time) {}

    asio::awaitable<engine::token_reply> fetch(engine::token_request request) override
    {
        calls.push_back({std::string(request.appid), request.call, time_.now(), std::string(request.app_secret)});
        auto& script = scripted_[calls.back().appid];
        auto reply = script.empty() ? token("token-" + std::to_string(++given_)) : script.front();
        if (!script.empty())
            script.pop_front();
        const auto number = calls.size();
        auto& place = parked_[number];
        if (!hold)
            time_.after(latency, [self = std::weak_ptr(self_), number] {
                if (const auto still_there = self.lock())
                    (*still_there)->answer(number);
            });
        co_await place.wait();
        parked_.erase(number);
        co_return reply;
    }

    /// The next calls for that AppID are answered so, in this order.
    void reply_to(const std::string& appid, std::vector<engine::token_reply> replies)
    {
        for (auto& each : replies)
            scripted_[appid].push_back(std::move(each));
    }

    /// Lets calls go on that were held.
    void answer_all()
    {
        for (auto& [number, each] : parked_)
            if (each.parked())
                each.complete(0);
        time_.settle();
    }

    [[nodiscard]] std::size_t calls_for(const std::string& appid) const
    {
        std::size_t count = 0;
        for (const auto& each : calls)
            count += each.appid == appid ? 1 : 0;
        return count;
    }

    bool hold = false;
    steady_duration latency{0};
    std::vector<call> calls;

private:
    void answer(std::size_t number)
    {
        const auto found = parked_.find(number);
        if (found != parked_.end() && found->second.parked())
            found->second.complete(0);
    }

    manual_clock& time_;
    std::map<std::string, std::deque<engine::token_reply>> scripted_;
    std::map<std::size_t, parked_call<int>> parked_;                                    ///< By the number of the call.
    std::shared_ptr<scripted_tokens*> self_ = std::make_shared<scripted_tokens*>(this); ///< What the clock keeps of it.
    int given_ = 0;
};

} // namespace wxcourier::test
