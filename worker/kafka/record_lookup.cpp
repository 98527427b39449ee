// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_lookup.hpp"

#include "kafka/client_config.hpp"
#include "kafka/message_copy.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace wxcourier::kafka {
namespace {

using message_handle = std::unique_ptr<rd_kafka_message_t, handle_deleter<rd_kafka_message_destroy>>;

constexpr milliseconds longest_nap{100};

conf_handle lookup_conf(const client_settings& settings)
{
    return make_conf(settings, {{"fetch.wait.max.ms", "100"}, {"queued.min.messages", "1"}},
                     {{"auto.offset.reset", "error"},
                      {"enable.auto.commit", "false"},
                      {"enable.auto.offset.store", "false"},
                      {"allow.auto.create.topics", "false"}},
                     RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
}

/// Blocks.
std::optional<std::string> fetch(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                                 std::int64_t offset, steady_time deadline, const std::atomic<bool>& cancelled)
{
    const topic_handle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
    if (handle == nullptr || rd_kafka_consume_start(handle.get(), partition, offset) != 0)
        return std::nullopt;
    std::optional<std::string> value;
    bool told = false;
    while (!told && !cancelled && steady_clock::now() < deadline) {
        const message_handle message(rd_kafka_consume(handle.get(), partition, static_cast<int>(longest_nap.count())));
        if (message == nullptr)
            continue;
        told = true; // a record, or why there is none; the next one, where this one is gone
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset == offset)
            value = copy_value(*message);
    }
    rd_kafka_consume_stop(handle.get(), partition);
    return value;
}

} // namespace

record_lookup::record_lookup(asio::any_io_executor loop, const client_settings& settings)
    : loop_(std::move(loop)), client_(open_client(RD_KAFKA_CONSUMER, lookup_conf(settings))), background_(loop_),
      changed_(loop_)
{
    queue_handle queue(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue),
        [this](event_handle event) {
            if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_LOG)
                log_.write_log(event.get());
            else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR)
                log_.write_error(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
        },
        [] {});
}

record_lookup::~record_lookup()
{
    events_.reset();
    if (client_ != nullptr)
        background_.destroy(std::move(client_));
}

asio::awaitable<std::optional<std::string>> record_lookup::find(std::string topic, std::int32_t partition,
                                                                std::int64_t offset, steady_time deadline)
{
    const auto found = std::make_shared<std::optional<std::string>>();
    const auto finished = std::make_shared<bool>(false);
    background_.start(
        [client = client_, topic = std::move(topic), partition, offset, deadline,
         found](const std::atomic<bool>& cancelled) {
            *found = fetch(client.get(), topic, partition, offset, deadline, cancelled);
        },
        [this, finished] {
            *finished = true;
            changed_.notify();
        });
    std::function<bool()> ended = [finished] { return *finished; };
    const bool in_time = co_await changed_.wait_for(std::move(ended), deadline + longest_nap * 20);
    co_return in_time ? std::move(*found) : std::nullopt; // late: the call still writes to it
}

asio::awaitable<bool> record_lookup::close(steady_time deadline)
{
    events_.reset();
    background_.destroy(std::move(client_));
    const bool destroyed = co_await background_.wait_idle(deadline);
    co_return destroyed;
}

} // namespace wxcourier::kafka
