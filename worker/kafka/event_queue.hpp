// SPDX-License-Identifier: Apache-2.0
/// @file
/// Brings librdkafka's queues to the event loop: one eventfd that librdkafka writes when a queue fills, and a loop that
/// serves it without ever blocking. No thread of ours polls.
#pragma once

#include "common/time.hpp"
#include "kafka/handles.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace wxcourier::kafka {

namespace asio = boost::asio;

/// Serves one queue of events, and wakes up for others.
///
/// librdkafka writes the eventfd only when a queue goes from empty to filled, and not again before somebody has polled
/// that queue. So each wake-up first drains the eventfd and then the queue until it is empty (in batches, with a turn
/// of the loop between them): a write that falls between the two only costs a wake-up for nothing. A timer serves the
/// queue all the same every 500 ms: it is the belt, and counts as the application's poll (max.poll.interval.ms).
class event_queue {
public:
    /// Gets each event; owns it.
    using event_handler = std::function<void(event_handle)>;
    /// Called after each batch, also on the timer: the other queues may have filled.
    using served_handler = std::function<void()>;

    /// Starts serving `queue` on `loop`. Throws std::system_error when there is no eventfd to be had.
    event_queue(const asio::any_io_executor& loop, queue_handle queue, event_handler on_event,
                served_handler on_served);
    event_queue(const event_queue&) = delete;
    event_queue& operator=(const event_queue&) = delete;
    /// Stops. May happen inside a handler.
    ~event_queue();

    /// Has another queue wake the loop too; who polls it is the caller's affair. `unwatch` it before it is destroyed.
    void watch(rd_kafka_queue_t* other);
    static void unwatch(rd_kafka_queue_t* other) noexcept;

    /// Serves what is there now, without waiting for the loop's next turn.
    void serve_now();

    /// The queue, for calls that take one to reply to.
    [[nodiscard]] rd_kafka_queue_t* get() const noexcept;

    /// When the queue was served last: what a watchdog looks at.
    [[nodiscard]] steady_time last_served() const noexcept;

private:
    class server;

    std::shared_ptr<server> server_;
};

} // namespace wxcourier::kafka
