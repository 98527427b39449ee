// SPDX-License-Identifier: Apache-2.0
#include "app/loop_watchdog.hpp"

#include "common/log.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <utility>

#include <unistd.h>

namespace wxcourier::app {
namespace {

/// The log may be what hangs: the process ends after so many seconds even so.
constexpr unsigned last_words_limit = 5;

} // namespace

struct loop_watchdog::pulse {
    std::atomic<std::uint64_t> answers{0};
};

loop_watchdog::loop_watchdog(boost::asio::any_io_executor loop, watchdog_limits limits, std::function<void()> on_hang)
    : loop_(std::move(loop)), limits_(limits), on_hang_(std::move(on_hang)), pulse_(std::make_shared<pulse>()),
      thread_([this] { watch(); })
{
}

loop_watchdog::~loop_watchdog()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stop_.notify_one();
    thread_.join();
}

std::uint64_t loop_watchdog::answers() const noexcept
{
    return pulse_->answers;
}

void loop_watchdog::watch()
{
    std::uint64_t asked = 0;
    int silent_looks = 0;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (pulse_->answers == asked) {
            silent_looks = 0;
            ++asked;
            boost::asio::post(loop_, [pulse = pulse_] { ++pulse->answers; });
        } else if (++silent_looks >= limits_.looks) {
            lock.unlock();
            on_hang_();
            return;
        }
        stop_.wait_for(lock, limits_.look_every, [this] { return stopping_; });
    }
}

void end_hung_process() noexcept
{
    alarm(last_words_limit);
    log::error("watchdog", "the event loop hangs; the process ends, and what was in flight is sent again");
    _exit(1);
}

} // namespace wxcourier::app
