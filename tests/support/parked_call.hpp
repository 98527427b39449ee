// SPDX-License-Identifier: Apache-2.0
/// @file
/// A coroutine that waits for a test: it suspends here, and goes on when the test says with what.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace wxcourier::test {

namespace asio = boost::asio;

/// Holds one suspended coroutine. Must outlive it, or be destroyed with the loop that runs it.
template <typename T>
class parked_call {
public:
    /// Suspends until `complete`.
    asio::awaitable<T> wait()
    {
        auto park = [this](auto handler) {
            executor_ = asio::get_associated_executor(handler);
            continuation_ = std::make_unique<continuation_of<decltype(handler)>>(std::move(handler));
        };
        return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(std::move(park), asio::use_awaitable);
    }

    [[nodiscard]] bool parked() const { return continuation_ != nullptr; }

    /// Has the coroutine go on in the loop's next turn.
    void complete(T value)
    {
        asio::post(executor_, [continuation = std::move(continuation_), value = std::move(value)]() mutable {
            continuation->resume(std::move(value));
        });
    }

private:
    // Not asio::any_completion_handler: in Boost 1.81 moving one out of another wraps it once more.
    struct continuation {
        virtual ~continuation() = default;
        virtual void resume(T value) = 0;
    };
    template <typename Handler>
    struct continuation_of final : continuation {
        explicit continuation_of(Handler from) : handler(std::move(from)) {}
        void resume(T value) override
        {
            auto last_words = std::move(handler); // the coroutine may end this object
            std::move(last_words)(std::move(value));
        }
        Handler handler;
    };

    std::unique_ptr<continuation> continuation_;
    asio::any_io_executor executor_;
};

} // namespace wxcourier::test
