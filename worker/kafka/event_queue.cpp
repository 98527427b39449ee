// SPDX-License-Identifier: Apache-2.0
#include "kafka/event_queue.hpp"

#include "common/moment.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace wxcourier::kafka {
namespace {

constexpr milliseconds belt_interval{500};
constexpr int batch_size = 256;
/// One event may be the report of hundreds of records: the loop has others to serve.
constexpr milliseconds longest_turn{2};

int open_eventfd()
{
    const int opened = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (opened < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    return opened;
}

} // namespace

/// Lives until the last pending handler has seen that it was stopped.
class event_queue::server : public std::enable_shared_from_this<server> {
public:
    server(const asio::any_io_executor& loop, queue_handle queue, event_handler on_event, served_handler on_served)
        : queue_(std::move(queue)), wake_up_(loop, open_eventfd()), belt_(loop), on_event_(std::move(on_event)),
          on_served_(std::move(on_served)), last_served_(steady_clock::now())
    {
    }

    void start()
    {
        watch(queue_.get());
        wait_for_wake_up();
        wait_for_belt();
    }

    void stop() noexcept
    {
        stopped_ = true;
        unwatch(queue_.get()); // From here on nobody writes the descriptor, whose number may soon be another file's.
        queue_.reset();
        boost::system::error_code ignored;
        wake_up_.close(ignored);
        belt_.cancel();
    }

    void watch(rd_kafka_queue_t* queue)
    {
        constexpr std::uint64_t one = 1;
        rd_kafka_queue_io_event_enable(queue, wake_up_.native_handle(), &one, sizeof(one));
        // What was in the queue before wakes nobody.
        [[maybe_unused]] const auto written = ::write(wake_up_.native_handle(), &one, sizeof(one));
    }

    /// @param longest  other events wait for the loop's next turn then.
    void serve(steady_duration longest = longest_turn)
    {
        const auto alive = shared_from_this(); // A handler may drop the event_queue.
        const auto began = steady_clock::now();
        for (int served = 0; served < batch_size; ++served) {
            event_handle event(rd_kafka_queue_poll(queue_.get(), 0));
            if (event == nullptr) {
                break;
            }
            {
                const moment of_its_own;
                on_event_(std::move(event));
            }
            if (stopped_) {
                return;
            }
            if (served + 1 == batch_size || steady_clock::now() - began > longest) {
                serve_later();
                break;
            }
        }
        last_served_ = steady_clock::now();
        on_served_();
    }

    [[nodiscard]] rd_kafka_queue_t* queue() const noexcept { return queue_.get(); }
    [[nodiscard]] steady_time last_served() const noexcept { return last_served_; }

private:
    void serve_later()
    {
        asio::post(belt_.get_executor(), [self = shared_from_this()] {
            if (!self->stopped_) {
                self->serve();
            }
        });
    }

    void wait_for_wake_up()
    {
        wake_up_.async_wait(
            asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code error) {
                if (self->stopped_ || error) {
                    return;
                }
                std::uint64_t count = 0;
                [[maybe_unused]] const auto drained = ::read(self->wake_up_.native_handle(), &count, sizeof(count));
                self->serve();
                if (!self->stopped_) {
                    self->wait_for_wake_up();
                }
            });
    }

    void wait_for_belt()
    {
        belt_.expires_after(belt_interval);
        belt_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (self->stopped_ || error) {
                return;
            }
            self->serve();
            if (!self->stopped_) {
                self->wait_for_belt();
            }
        });
    }

    queue_handle queue_;
    asio::posix::stream_descriptor wake_up_;
    asio::steady_timer belt_;
    event_handler on_event_;
    served_handler on_served_;
    steady_time last_served_;
    bool stopped_ = false;
};

event_queue::event_queue(const asio::any_io_executor& loop, queue_handle queue, event_handler on_event,
                         served_handler on_served)
    : server_(std::make_shared<server>(loop, std::move(queue), std::move(on_event), std::move(on_served)))
{
    server_->start();
}

event_queue::~event_queue()
{
    server_->stop();
}

void event_queue::watch(rd_kafka_queue_t* other)
{
    server_->watch(other);
}

void event_queue::unwatch(rd_kafka_queue_t* other) noexcept
{
    rd_kafka_queue_io_event_enable(other, -1, nullptr, 0);
}

void event_queue::serve_now()
{
    server_->serve(steady_duration::max());
}

rd_kafka_queue_t* event_queue::get() const noexcept
{
    return server_->queue();
}

steady_time event_queue::last_served() const noexcept
{
    return server_->last_served();
}

} // namespace wxcourier::kafka
