// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_reader.hpp"

#include "kafka/client_config.hpp"
#include "kafka/message_copy.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace wxcourier::kafka {
namespace {

conf_handle reader_conf(const client_settings& settings, milliseconds fetch_wait)
{
    return make_conf(
        settings,
        {
            {"queued.min.messages", "2000"},
            {"queued.max.messages.kbytes", "4096"},
            {"fetch.wait.max.ms", std::to_string(fetch_wait.count())},
            {"auto.offset.reset", "earliest"},
        },
        {
            {"enable.auto.commit", "false"},
            {"enable.auto.offset.store", "false"},
            {"allow.auto.create.topics", "false"},
            // Tells that a partition has been read to its end, also where its last offsets hold no records.
            {"enable.partition.eof", "true"},
        },
        RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_FETCH);
}

int left_until(steady_time deadline)
{
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    return static_cast<int>(std::clamp<milliseconds::rep>(left, 1, 60'000));
}

} // namespace

record_reader::record_reader(asio::any_io_executor loop, const client_settings& settings,
                             std::vector<std::string> topics, read_start start, milliseconds fetch_wait)
    : loop_(std::move(loop)), topics_(std::move(topics)), start_(start),
      client_(open_client(RD_KAFKA_CONSUMER, reader_conf(settings, fetch_wait))), background_(loop_), changed_(loop_)
{
    queue_handle queue(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    records_.reset(rd_kafka_queue_new(client_.get()));
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue), [this](event_handle event) { on_event(std::move(event)); },
        [this] { changed_.notify(); });
    events_->watch(records_.get());
}

record_reader::~record_reader()
{
    if (client_ != nullptr) {
        event_queue::unwatch(records_.get());
        events_.reset();
        records_.reset();
        handles_.clear();
        background_.destroy(std::move(client_));
    }
}

asio::awaitable<std::shared_ptr<record_reader::plan>> record_reader::find(read_start start, steady_time deadline)
{
    const auto found = std::make_shared<plan>();
    const auto finished = std::make_shared<bool>(false);
    background_.start(
        [client = client_, topics = topics_, start, deadline, found](const std::atomic<bool>&) {
            for (const std::string& topic : topics) {
                find_partitions(client.get(), topic, left_until(deadline), *found);
            }
            find_positions(client.get(), start, deadline, *found);
        },
        [this, finished] {
            *finished = true;
            changed_.notify();
        });
    std::function<bool()> planned = [finished] { return *finished; };
    if (co_await changed_.wait_for(std::move(planned), deadline)) {
        co_return found;
    }
    auto late = std::make_shared<plan>(); // the call still writes to the other one
    late->error = "the brokers did not answer in time";
    co_return late;
}

asio::awaitable<std::string> record_reader::open(steady_time deadline)
{
    const auto found = co_await find(start_, deadline);
    if (!found->error.empty()) {
        co_return found->error;
    }
    partitions_ = std::move(found->partitions);
    std::string error;
    for (auto& [where, partition] : partitions_) {
        if (error.empty()) {
            error = begin(where, partition);
        }
    }
    co_return error;
}

asio::awaitable<reading_state> record_reader::look(steady_time deadline)
{
    const auto found = co_await find(from_beginning{}, deadline);
    reading_state state{found->error, 0};
    if (!state.error.empty() || client_ == nullptr) { // closed meanwhile
        co_return state;
    }
    for (auto& [where, now] : found->partitions) {
        const auto known = partitions_.find(where);
        if (known != partitions_.end()) {
            // What was deleted will not be handed out.
            state.behind += std::max<std::int64_t>(0, now.end - std::max(known->second.next, now.start));
            continue;
        }
        state.behind += now.end - now.start;
        state.error = begin(where, partitions_.emplace(where, now).first->second);
    }
    co_return state;
}

/// Blocks.
void record_reader::find_partitions(rd_kafka_t* client, const std::string& topic, int limit_ms, plan& result)
{
    const topic_handle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
    const struct rd_kafka_metadata* received = nullptr;
    auto error = rd_kafka_metadata(client, 0, handle.get(), &received, limit_ms);
    const metadata_handle metadata(received);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt != 1) {
        error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = metadata->topics[0].err;
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result.error = "topic " + topic + ": " + describe(error);
        return;
    }
    for (int index = 0; index < metadata->topics[0].partition_cnt; ++index) {
        result.partitions[{topic, metadata->topics[0].partitions[index].id}] = {};
    }
}

/// Blocks.
void record_reader::find_positions(rd_kafka_t* client, read_start start, steady_time deadline, plan& result)
{
    partition_list_handle times(rd_kafka_topic_partition_list_new(static_cast<int>(result.partitions.size())));
    for (auto& [where, partition] : result.partitions) {
        watermarks held;
        const auto error = rd_kafka_query_watermark_offsets(client, where.topic.c_str(), where.partition, &held.low,
                                                            &held.high, left_until(deadline));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            result.error = "topic " + where.topic + ": " + describe(error);
            return;
        }
        partition.start = std::holds_alternative<from_end>(start) ? held.high : held.low;
        if (const auto* last = std::get_if<from_last>(&start)) {
            partition.start = std::max(held.low, held.high - last->offsets);
        }
        partition.end = held.high;
        if (const auto* time = std::get_if<wall_time>(&start)) {
            rd_kafka_topic_partition_list_add(times.get(), where.topic.c_str(), where.partition)->offset =
                time->time_since_epoch().count();
        }
    }
    if (times->cnt == 0) {
        return;
    }
    const auto error = rd_kafka_offsets_for_times(client, times.get(), left_until(deadline));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result.error = "cannot find where that time begins: " + describe(error);
        return;
    }
    for (int index = 0; index < times->cnt; ++index) {
        const rd_kafka_topic_partition_t& found = times->elems[index];
        read_position& partition = result.partitions.at({found.topic, found.partition});
        // No record is that young: a logical offset.
        partition.start = found.offset >= 0 ? std::max(found.offset, partition.start) : partition.end;
    }
}

std::string record_reader::begin(const topic_partition& where, read_position& partition)
{
    topic_handle& handle = handles_[where.topic];
    if (handle == nullptr) {
        handle.reset(rd_kafka_topic_new(client_.get(), where.topic.c_str(), nullptr));
    }
    partition.next = partition.start;
    partition.reached = partition.start >= partition.end;
    if (rd_kafka_consume_start_queue(handle.get(), where.partition, partition.start, records_.get()) != 0) {
        return "topic " + where.topic + ": " + describe(rd_kafka_last_error());
    }
    return {};
}

asio::awaitable<std::optional<read_record>> record_reader::next(steady_time deadline)
{
    std::optional<read_record> record;
    std::function<bool()> fetched = [this, &record] {
        record = poll();
        return record.has_value();
    };
    co_await changed_.wait_for(std::move(fetched), deadline);
    co_return record;
}

std::optional<read_record> record_reader::poll()
{
    while (event_handle event{rd_kafka_queue_poll(records_.get(), 0)}) {
        const rd_kafka_message_t* message = rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_FETCH
                                                ? rd_kafka_event_message_next(event.get())
                                                : nullptr;
        if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_error(event.get());
            continue;
        }
        read_record record{rd_kafka_topic_name(message->rkt),
                           message->partition,
                           message->offset,
                           copy_timestamp(*message),
                           copy_key(*message),
                           copy_value(*message),
                           copy_headers(*message)};
        read_position& partition = partitions_[{record.topic, record.partition}];
        partition.next = record.offset + 1;
        partition.reached = partition.reached || record.offset + 1 >= partition.end;
        return record;
    }
    return std::nullopt;
}

bool record_reader::at_end() const
{
    return std::all_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return each.second.reached; });
}

std::size_t record_reader::partitions_of(const std::string& topic) const
{
    return static_cast<std::size_t>(std::count_if(partitions_.begin(), partitions_.end(),
                                                  [&](const auto& each) { return each.first.topic == topic; }));
}

void record_reader::on_event(event_handle event)
{
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_LOG) {
        log_.write_log(event.get());
    } else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
        on_error(event.get());
    }
}

void record_reader::on_error(rd_kafka_event_t* event)
{
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        log_.write_error(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
    } else if (auto* where = rd_kafka_event_topic_partition(event)) {
        read_position& partition = partitions_[{where->topic, where->partition}];
        partition.reached = true;
        partition.next = std::max(partition.next, where->offset);
        rd_kafka_topic_partition_destroy(where);
    }
}

asio::awaitable<bool> record_reader::close(steady_time deadline)
{
    event_queue::unwatch(records_.get());
    events_.reset();
    records_.reset();
    handles_.clear();
    background_.destroy(std::move(client_));
    const bool destroyed = co_await background_.wait_idle(deadline);
    co_return destroyed;
}

} // namespace wxcourier::kafka
