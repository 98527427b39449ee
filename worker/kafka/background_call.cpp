// SPDX-License-Identifier: Apache-2.0
#include "kafka/background_call.hpp"

#include "common/log.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <iterator>
#include <mutex>
#include <utility>

namespace wxcourier::kafka {

/// What the thread and the loop both see. The loop may be gone before the thread is: `owner` says whether it is there.
struct background_call::shared {
    std::atomic<bool> cancelled = false;
    std::mutex lock;
    background_call* owner = nullptr;
    asio::any_io_executor loop;
    std::function<void()> finished;
};

background_call::background_call(const asio::any_io_executor& loop, work blocking, std::function<void()> finished)
    : shared_(std::make_shared<shared>())
{
    shared_->owner = this;
    shared_->loop = loop;
    shared_->finished = std::move(finished);
    thread_ = std::thread([state = shared_, blocking = std::move(blocking)]() mutable {
        try {
            blocking(state->cancelled);
        } catch (const std::exception& failure) {
            log::error("kafka", "background call failed", {{"error", failure.what()}});
        }
        blocking = nullptr; // What the call held goes on this thread, not on the loop.
        const std::scoped_lock held(state->lock);
        if (state->owner == nullptr) {
            return;
        }
        asio::post(state->loop, [state] {
            if (state->owner == nullptr) {
                return;
            }
            state->owner->thread_.join();
            // The callback may well destroy the call itself.
            const auto completion = std::exchange(state->finished, nullptr);
            completion();
        });
    });
}

background_call::~background_call()
{
    cancel();
    {
        const std::scoped_lock held(shared_->lock);
        shared_->owner = nullptr;
    }
    if (thread_.joinable()) {
        thread_.detach();
    }
}

void background_call::cancel() noexcept
{
    shared_->cancelled = true;
}

void background_calls::start(background_call::work blocking, std::function<void()> finished)
{
    running_.emplace_back();
    const auto place = std::prev(running_.end());
    auto on_finished = [this, place, finished = std::move(finished)] {
        const auto ended = std::move(*place); // Holds this very callback.
        running_.erase(place);
        if (finished) {
            finished();
        }
        finished_.notify();
    };
    *place = std::make_unique<background_call>(loop_, std::move(blocking), std::move(on_finished));
}

void background_calls::destroy(client_handle client)
{
    start([client = std::move(client)](const std::atomic<bool>&) mutable { client.reset(); });
}

void background_calls::cancel_all() noexcept
{
    for (const auto& call : running_) {
        call->cancel();
    }
}

asio::awaitable<bool> background_calls::wait_idle(steady_time deadline)
{
    std::function<bool()> idle = [this] { return running_.empty(); };
    const bool reached = co_await finished_.wait_for(std::move(idle), deadline);
    co_return reached;
}

} // namespace wxcourier::kafka
