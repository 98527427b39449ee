// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_producer.hpp"

#include "common/log.hpp"
#include "common/moment.hpp"
#include "kafka/client_config.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace wxcourier::kafka {
namespace {

constexpr auto producer_events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG;
constexpr milliseconds first_backoff{100};
constexpr milliseconds longest_backoff{5'000};
/// A client that meets a fatal error again within this time is not rebuilt at once.
constexpr milliseconds rebuild_spacing{1'000};
/// Entries that are kept for the next records: an allocation less for each.
constexpr std::size_t most_spare = 1024;

conf_handle producer_conf(const producer_settings& settings)
{
    return make_conf(settings.client,
                     {
                         // Each partition has requests of its own, and each costs the broker as much as this process:
                         // without a wait a fifth more CPU a push. Longer than this holds sends back: the bound on
                         // repeats (twice what may be in flight) counts statuses that wait here.
                         {"linger.ms", "5"},
                         // librdkafka never gives a record up for its age: with idempotence it is then written once and
                         // in order however long the brokers are away, where a timeout would mean "possibly written".
                         {"message.timeout.ms", "0"},
                         // Longer than a cluster needs to drop a broker that hangs (broker.session.timeout.ms: 9 s):
                         // until then its followers' leaders do not acknowledge either, and have to be waited for.
                         {"socket.timeout.ms", "10000"},
                         // The broker and its topics decide what is too large (a job of 1,000,000 bytes with its
                         // headers is above librdkafka's own limit).
                         {"message.max.bytes", "8388608"},
                         // What librdkafka holds is held here too; the rest waits here only.
                         {"queue.buffering.max.messages", "20000"},
                         {"queue.buffering.max.kbytes", "65536"},
                         // LZ4 makes a context for each batch, which cost 0.13 s of CPU per 10,000 small statuses;
                         // who pays for the network more than for CPU sets kafka.properties.
                         {"compression.codec", "none"},
                     },
                     {{"enable.idempotence", "true"}, {"acks", "all"}}, producer_events);
}

/// Errors after which the whole client is of no use.
bool is_fatal(rd_kafka_t* client)
{
    std::array<char, 8> text{};
    return rd_kafka_fatal_error(client, text.data(), text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

headers_handle make_headers(const std::vector<engine::header>& headers)
{
    headers_handle made(rd_kafka_headers_new(headers.size()));
    for (const engine::header& each : headers) {
        rd_kafka_header_add(made.get(), each.name.data(), static_cast<ssize_t>(each.name.size()),
                            each.value ? each.value->data() : nullptr,
                            each.value ? static_cast<ssize_t>(each.value->size()) : 0);
    }
    return made;
}

rd_kafka_vu_t memory(rd_kafka_vtype_t type, const std::optional<std::string>& bytes)
{
    rd_kafka_vu_t argument{};
    argument.vtype = type;
    argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr; // librdkafka only reads it.
    argument.u.mem.size = bytes ? bytes->size() : 0;
    return argument;
}

} // namespace

record_producer::record_producer(asio::any_io_executor loop, producer_settings settings)
    : loop_(std::move(loop)), settings_(std::move(settings)), background_(loop_), reopen_timer_(loop_), changed_(loop_)
{
    open();
}

record_producer::~record_producer()
{
    events_.reset();
    lanes_.clear();
    retire();
}

void record_producer::open()
{
    client_ = open_client(RD_KAFKA_PRODUCER, producer_conf(settings_));
    queue_handle queue(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue), [this](event_handle event) { on_event(std::move(event)); }, [this] { pump(); });
    for (const std::string& topic : settings_.topics) {
        lane_of(topic);
    }
}

// ----------------------------------------------------------------------------------------------------------------
// In

void record_producer::publish(engine::outbound_record record, std::uint64_t ticket)
{
    if (spare_.empty()) {
        spare_.emplace_back();
    }
    entries_.splice(entries_.end(), spare_, spare_.begin());
    entry& added = entries_.back();
    added.record = std::move(record);
    added.ticket = ticket;
    added.sequence = ++last_sequence_;
    added.self = std::prev(entries_.end());
    lane& on = lane_of(added.record.topic);
    added.on = &on;
    const bool first = on.waiting.empty();
    if (first && alone_.empty() && moment::steady_now() >= on.not_before && client_ != nullptr) {
        const produced result = produce(added);
        if (result == produced::taken || result == produced::refused) {
            return;
        }
    }
    on.waiting.emplace(added.sequence, &added);
}

record_producer::lane& record_producer::lane_of(const std::string& topic)
{
    lane& found = lanes_[topic];
    if (found.topic.empty()) {
        found.topic = topic;
    }
    if (found.handle == nullptr && client_ != nullptr) {
        // Also has librdkafka ask for the topic's metadata at once.
        found.handle.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    }
    return found;
}

/// Hands over what waits and may go. Called whenever reports came, on the belt, and when a wait has ended.
void record_producer::pump()
{
    if (!lost_.empty()) {
        rebuild();
    }
    if (client_ == nullptr || closed_ || (!alone_.empty() && pump_alone())) {
        return;
    }
    const auto now = steady_clock::now();
    for (auto& [topic, each] : lanes_) {
        while (!each.waiting.empty() && now >= each.not_before) {
            const auto first = each.waiting.begin();
            switch (produce(*first->second)) {
            case produced::taken:
                each.waiting.erase(first);
                break;
            case produced::refused:
            case produced::lane_waits:
                break; // Its not_before has moved, or its first record is done.
            case produced::queue_full:
            case produced::client_lost:
                return;
            }
        }
    }
}

/// A broker refuses a whole batch for its size. Only a record that is refused by itself is too large. True: the others
/// have to wait.
bool record_producer::pump_alone()
{
    entry& next = *alone_.begin()->second;
    if (!next.in_flight && steady_clock::now() < next.on->not_before) {
        return false;
    }
    if (in_flight_ == 0) {
        static_cast<void>(produce(next));
    }
    return true;
}

record_producer::produced record_producer::produce(entry& wanted)
{
    lane& on = lane_of(wanted.record.topic);
    headers_handle headers = wanted.record.headers.empty() ? nullptr : make_headers(wanted.record.headers);
    std::array<rd_kafka_vu_t, 7> arguments{};
    std::size_t count = 0;
    arguments[count].vtype = RD_KAFKA_VTYPE_RKT;
    arguments[count++].u.rkt = on.handle.get();
    arguments[count++] = memory(RD_KAFKA_VTYPE_KEY, wanted.record.key);
    arguments[count++] = memory(RD_KAFKA_VTYPE_VALUE, wanted.record.value);
    // Copied: a client that is being destroyed may still read a record which its successor has got acknowledged.
    arguments[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[count++].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    arguments[count++].u.ptr = &wanted;
    if (wanted.record.partition) {
        arguments[count].vtype = RD_KAFKA_VTYPE_PARTITION;
        arguments[count++].u.i32 = *wanted.record.partition;
    }
    if (headers != nullptr) {
        arguments[count].vtype = RD_KAFKA_VTYPE_HEADERS;
        arguments[count++].u.headers = headers.get();
    }
    const error_handle refused(rd_kafka_produceva(client_.get(), arguments.data(), count));
    if (refused != nullptr) {
        return on_refused(wanted, rd_kafka_error_code(refused.get()));
    }
    static_cast<void>(headers.release()); // librdkafka's now.
    wanted.in_flight = true;
    ++in_flight_;
    return produced::taken;
}

record_producer::produced record_producer::on_refused(entry& refused, rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return produced::queue_full;
    }
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        refuse(refused);
        return produced::refused;
    }
    if (is_fatal(client_.get())) {
        lost_ = describe(error);
        return produced::client_lost;
    }
    log_.write_error(error, "cannot produce to " + refused.record.topic + " yet: " + rd_kafka_err2str(error));
    hold_back(*refused.on);
    return produced::lane_waits;
}

void record_producer::hold_back(lane& held)
{
    held.backoff = std::clamp(held.backoff * 2, first_backoff, longest_backoff);
    held.not_before = steady_clock::now() + held.backoff;
    // The belt of the event queue pumps at the latest 500 ms after that.
}

// ----------------------------------------------------------------------------------------------------------------
// Out

void record_producer::on_event(event_handle event)
{
    switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
        while (const rd_kafka_message_t* report = rd_kafka_event_message_next(event.get())) {
            on_report(*report);
        }
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(event.get());
        break;
    case RD_KAFKA_EVENT_LOG:
        log_.write_log(event.get());
        break;
    default: // Nothing else was asked for.
        break;
    }
}

void record_producer::on_report(const rd_kafka_message_t& report)
{
    entry& reported = *static_cast<entry*>(report._private);
    reported.in_flight = false;
    --in_flight_;
    switch (report.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        reported.on->backoff = milliseconds{0};
        complete(reported, engine::publish_result::acknowledged);
        break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        if (reported.alone) {
            complete(reported, engine::publish_result::too_large);
        } else {
            reported.alone = true;
            ++stats_.retries;
            alone_.emplace(reported.sequence, &reported);
        }
        break;
    default:
        retry(reported, report.err);
        break;
    }
}

/// librdkafka has given a record up. It may have been written all the same.
void record_producer::retry(entry& failed, rd_kafka_resp_err_t error)
{
    ++stats_.retries;
    if (!failed.alone) {
        failed.on->waiting.emplace(failed.sequence, &failed);
    }
    if (steady_clock::now() >= failed.on->not_before) { // Once for all the records that failed together.
        hold_back(*failed.on);
    }
    if (error != RD_KAFKA_RESP_ERR__FATAL && error != RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
        log_.write_error(error, "record for " + failed.record.topic +
                                    " not written, trying again: " + rd_kafka_err2str(error));
    }
}

void record_producer::complete(entry& done, engine::publish_result result)
{
    ++(result == engine::publish_result::acknowledged ? stats_.acknowledged : stats_.too_large);
    const std::uint64_t ticket = done.ticket;
    alone_.erase(done.sequence);
    forget(done);
    if (pending() == 0) {
        changed_.notify();
    }
    listener_->on_published(ticket, result);
}

void record_producer::forget(entry& gone)
{
    const auto at = gone.self;
    if (spare_.size() >= most_spare) {
        entries_.erase(at);
        return;
    }
    gone = {};
    spare_.splice(spare_.begin(), entries_, at);
}

/// Its own client refuses it for its size. This may happen inside `publish`, so the outcome is told later.
void record_producer::refuse(entry& too_large)
{
    ++stats_.too_large;
    ++owed_;
    const std::uint64_t ticket = too_large.ticket;
    too_large.on->waiting.erase(too_large.sequence);
    alone_.erase(too_large.sequence);
    forget(too_large);
    asio::post(loop_, [this, ticket, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) {
            return;
        }
        --owed_;
        changed_.notify();
        listener_->on_published(ticket, engine::publish_result::too_large);
    });
}

// ----------------------------------------------------------------------------------------------------------------
// A client that has failed for good

void record_producer::on_error(rd_kafka_event_t* event)
{
    if (rd_kafka_event_error_is_fatal(event) != 0) {
        // The client goes when the batch of events that this one came in has been served.
        lost_ = describe(rd_kafka_event_error(event)) + ": " + rd_kafka_event_error_string(event);
        return;
    }
    ++stats_.errors;
    log_.write_error(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
}

void record_producer::rebuild()
{
    const auto now = steady_clock::now();
    log::warn("kafka", "the producer failed for good and is opened anew; what is not acknowledged is written again",
              {{"error", lost_}, {"records", static_cast<std::uint64_t>(entries_.size())}});
    lost_.clear();
    ++stats_.rebuilds;
    events_.reset(); // The old client's reports are not heard any more: their records are produced again.
    for (auto& [topic, each] : lanes_) {
        each.handle.reset();
        each.not_before = now - last_rebuild_ < rebuild_spacing ? now + rebuild_spacing : now;
        each.waiting.clear();
    }
    last_rebuild_ = now;
    retire();
    in_flight_ = 0;
    alone_.clear();
    for (entry& each : entries_) {
        each.in_flight = false;
        (each.alone ? alone_ : each.on->waiting).emplace(each.sequence, &each);
    }
    reopen();
}

/// Files that the properties name (certificates) may be missing just now.
void record_producer::reopen()
{
    try {
        open();
    } catch (const configuration_error& failure) {
        client_.reset();
        log::error("kafka", "the producer cannot be opened anew, trying again", {{"error", failure.what()}});
        reopen_timer_.expires_after(rebuild_spacing);
        reopen_timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
            if (!error && !alive.expired() && !closed_) {
                reopen();
            }
        });
    }
}

/// The client goes, with what it holds. Nobody hears its reports any more.
void record_producer::retire()
{
    if (client_ != nullptr) {
        rd_kafka_purge(client_.get(),
                       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        background_.destroy(std::move(client_));
    }
}

void record_producer::provoke_fatal_error()
{
    rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "provoked");
}

// ----------------------------------------------------------------------------------------------------------------
// The end

asio::awaitable<bool> record_producer::flush(steady_time deadline)
{
    std::function<bool()> flushed = [this] { return pending() == 0; };
    const bool reached = co_await changed_.wait_for(std::move(flushed), deadline);
    co_return reached;
}

asio::awaitable<bool> record_producer::close(steady_time deadline)
{
    closed_ = true;
    alive_.reset();
    reopen_timer_.cancel();
    events_.reset();
    lanes_.clear();
    alone_.clear();
    entries_.clear();
    owed_ = 0;
    retire();
    const bool destroyed = co_await background_.wait_idle(deadline);
    if (!destroyed) {
        log::warn("kafka", "the producer did not close in time");
    }
    co_return destroyed;
}

producer_stats record_producer::stats() const
{
    producer_stats now = stats_;
    now.pending = pending();
    now.waiting = entries_.size() - in_flight_;
    return now;
}

} // namespace wxcourier::kafka
