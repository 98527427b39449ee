// SPDX-License-Identifier: Apache-2.0
/// @file
/// Writes records until Kafka has acknowledged them, whatever happens in between. The one real implementation of
/// engine::record_publisher.
#pragma once

#include "engine/ports.hpp"
#include "kafka/background_call.hpp"
#include "kafka/client_log.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/event_queue.hpp"
#include "kafka/handles.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::kafka {

/// What the producer has done so far; counts unless a line says otherwise.
struct producer_stats {
    std::uint64_t acknowledged = 0;
    std::uint64_t too_large = 0;
    std::uint64_t retries = 0;  ///< Records produced again after librdkafka had given them up.
    std::uint64_t rebuilds = 0; ///< Clients opened anew after a fatal error.
    std::uint64_t errors = 0;   ///< Reported by librdkafka, which gets over them by itself.
    std::uint64_t pending = 0;  ///< Now: taken and not yet acknowledged.
    std::uint64_t waiting = 0;  ///< Now: of those, not handed to librdkafka.
};

/// See engine::record_publisher. Keeps each record until its report, so that it can be produced again: after an error
/// that librdkafka does not get over, and after the end of a whole client (an idempotent producer that meets a fatal
/// error can do nothing more). Records of one topic are handed to librdkafka in the order they came, those to be
/// produced again first; a repeat can be written twice (at least once).
class record_producer final : public engine::record_publisher {
public:
    /// Opens the client. Throws configuration_error.
    record_producer(asio::any_io_executor loop, producer_settings settings);
    record_producer(const record_producer&) = delete;
    record_producer& operator=(const record_producer&) = delete;
    /// Never blocks. What is pending is dropped: `flush` first.
    ~record_producer() override;

    /// Says who hears of outcomes; before the first `publish`.
    void start(engine::publisher_listener& listener) { listener_ = &listener; }

    void publish(engine::outbound_record record, std::uint64_t ticket) override;

    /// Waits until nothing is pending. False: not by the deadline.
    asio::awaitable<bool> flush(steady_time deadline);
    /// Destroys the client; what is pending is dropped and not reported. False: not done by the deadline, and left to
    /// a thread of its own.
    asio::awaitable<bool> close(steady_time deadline);

    /// Records taken and not yet acknowledged.
    [[nodiscard]] std::size_t pending() const noexcept { return entries_.size() + owed_; }
    [[nodiscard]] producer_stats stats() const;

    /// Makes the client fail for good, as a broker could: for tests of the recovery.
    void provoke_fatal_error();

private:
    struct lane;

    /// One record on its way.
    struct entry {
        engine::outbound_record record;
        std::uint64_t ticket = 0;
        std::uint64_t sequence = 0; ///< Of its `publish`; the order within a topic.
        lane* on = nullptr;
        bool in_flight = false;
        bool alone = false; ///< Its batch was refused for size: sent by itself, to learn whether it is at fault.
        std::list<entry>::iterator self;
    };
    /// One topic: what waits for it, and until when. A missing topic does not hold up the others.
    struct lane {
        std::string topic;
        topic_handle handle;
        std::map<std::uint64_t, entry*> waiting; ///< By sequence.
        steady_time not_before{};
        milliseconds backoff{0};
    };
    enum class produced : std::uint8_t { taken, refused, queue_full, lane_waits, client_lost };

    void open();
    void rebuild();
    void reopen();
    void on_event(event_handle event);
    void on_report(const rd_kafka_message_t& report);
    void on_error(rd_kafka_event_t* event);
    void pump();
    [[nodiscard]] bool pump_alone();
    produced produce(entry& wanted);
    produced on_refused(entry& refused, rd_kafka_resp_err_t error);
    void retry(entry& failed, rd_kafka_resp_err_t error);
    void hold_back(lane& held);
    void complete(entry& done, engine::publish_result result);
    void refuse(entry& too_large);
    void forget(entry& gone);
    lane& lane_of(const std::string& topic);
    void retire();

    asio::any_io_executor loop_;
    producer_settings settings_;
    engine::publisher_listener* listener_ = nullptr;
    client_handle client_;
    client_log log_{"producer"};
    std::list<entry> entries_; ///< In the order of `publish`.
    std::list<entry> spare_;   ///< Empty ones, for the next.
    std::map<std::string, lane> lanes_;
    std::map<std::uint64_t, entry*> alone_; ///< Sent one at a time, with nothing else under way.
    background_calls background_;
    asio::steady_timer reopen_timer_;
    wake_signal changed_;
    producer_stats stats_;
    std::uint64_t last_sequence_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t owed_ = 0; ///< Outcomes that stand and are still to be told.
    std::string lost_;     ///< Why the client failed for good; empty: it has not.
    steady_time last_rebuild_{};
    bool closed_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< Fences what was posted to the loop.
    std::unique_ptr<event_queue> events_;
};

} // namespace wxcourier::kafka
