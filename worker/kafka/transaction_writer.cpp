// SPDX-License-Identifier: Apache-2.0
#include "kafka/transaction_writer.hpp"

#include "kafka/client_config.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace wxcourier::kafka {
namespace {

/// A process that dies leaves its transaction open; readers of the topics wait at it for so long, if nobody takes over.
constexpr auto transaction_limit_ms = "15000";
/// A call may be under way when the caller's deadline comes: it gets so much longer.
constexpr milliseconds grace{2'000};
constexpr milliseconds queue_nap{10};

conf_handle writer_conf(const client_settings& settings, const std::string& id)
{
    return make_conf(settings, {{"message.max.bytes", "8388608"}, {"linger.ms", "5"}},
                     {{"transactional.id", id},
                      {"transaction.timeout.ms", transaction_limit_ms},
                      {"message.timeout.ms", "10000"},
                      {"socket.timeout.ms", "6000"},
                      {"enable.idempotence", "true"},
                      {"acks", "all"}},
                     RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
}

int left_until(steady_time deadline)
{
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    return static_cast<int>(std::clamp<milliseconds::rep>(left, 1, 60'000));
}

std::string text_of(const error_handle& error)
{
    return std::string(rd_kafka_error_name(error.get())) + ": " + rd_kafka_error_string(error.get());
}

/// After an error nothing more can be done with the client.
transaction_outcome fatal(rd_kafka_t* client, const error_handle& error)
{
    auto code = rd_kafka_error_code(error.get());
    std::array<char, 256> text{};
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        code = rd_kafka_fatal_error(client, text.data(), text.size());
    const bool fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
                        code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED;
    return {fenced ? transaction_result::fenced : transaction_result::unknown, text_of(error)};
}

/// Blocks. Calls `step` until it succeeds, its error is none to be repeated, or the time is over.
template <typename Step>
error_handle repeat(Step step, steady_time deadline)
{
    while (true) {
        error_handle error(step(left_until(deadline)));
        if (error == nullptr || rd_kafka_error_is_retriable(error.get()) == 0 || steady_clock::now() >= deadline)
            return error;
    }
}

/// Blocks. Ends the open transaction; `why` is what went wrong with it.
transaction_outcome abort(rd_kafka_t* client, std::string why, steady_time deadline)
{
    const auto error = repeat([client](int limit) { return rd_kafka_abort_transaction(client, limit); }, deadline);
    if (error == nullptr)
        return {transaction_result::aborted, std::move(why)};
    auto outcome = fatal(client, error);
    outcome.error = why + "; " + outcome.error;
    return outcome;
}

headers_handle make_headers(const std::vector<engine::header>& headers)
{
    headers_handle made(rd_kafka_headers_new(headers.size()));
    for (const auto& each : headers)
        rd_kafka_header_add(made.get(), each.name.data(), static_cast<ssize_t>(each.name.size()),
                            each.value ? each.value->data() : nullptr,
                            each.value ? static_cast<ssize_t>(each.value->size()) : 0);
    return made;
}

rd_kafka_vu_t memory(rd_kafka_vtype_t type, const std::optional<std::string>& bytes)
{
    rd_kafka_vu_t argument{};
    argument.vtype = type;
    argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr; // librdkafka only reads it
    argument.u.mem.size = bytes ? bytes->size() : 0;
    return argument;
}

/// Blocks while librdkafka's queue is full.
error_handle produce(rd_kafka_t* client, const engine::outbound_record& record, steady_time deadline)
{
    while (true) {
        auto headers = make_headers(record.headers);
        std::array<rd_kafka_vu_t, 5> arguments{};
        arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
        arguments[0].u.cstr = record.topic.c_str();
        arguments[1] = memory(RD_KAFKA_VTYPE_KEY, record.key);
        arguments[2] = memory(RD_KAFKA_VTYPE_VALUE, record.value);
        arguments[3].vtype = RD_KAFKA_VTYPE_HEADERS;
        arguments[3].u.headers = headers.get();
        arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        arguments[4].u.i = RD_KAFKA_MSG_F_COPY;
        error_handle error(rd_kafka_produceva(client, arguments.data(), arguments.size()));
        if (error == nullptr) {
            static_cast<void>(headers.release()); // librdkafka's now
            return error;
        }
        if (rd_kafka_error_code(error.get()) != RD_KAFKA_RESP_ERR__QUEUE_FULL || steady_clock::now() >= deadline)
            return error;
        std::this_thread::sleep_for(queue_nap);
    }
}

/// Blocks.
transaction_outcome write_all(rd_kafka_t* client, const std::vector<engine::outbound_record>& records,
                              steady_time deadline)
{
    if (const error_handle error{rd_kafka_begin_transaction(client)}; error != nullptr)
        return fatal(client, error);
    for (const auto& each : records) {
        const auto error = produce(client, each, deadline);
        if (error != nullptr && rd_kafka_error_is_fatal(error.get()) != 0)
            return fatal(client, error);
        if (error != nullptr)
            return abort(client, text_of(error), deadline + grace);
    }
    const auto error = repeat([client](int limit) { return rd_kafka_commit_transaction(client, limit); }, deadline);
    if (error == nullptr)
        return {};
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0)
        return abort(client, text_of(error), deadline + grace);
    return fatal(client, error);
}

} // namespace

transaction_writer::transaction_writer(asio::any_io_executor loop, const client_settings& settings,
                                       const std::string& id)
    : loop_(std::move(loop)), client_(open_client(RD_KAFKA_PRODUCER, writer_conf(settings, id))), background_(loop_),
      changed_(loop_)
{
    queue_handle queue(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue), [this](event_handle event) { on_event(std::move(event)); }, [] {});
}

transaction_writer::~transaction_writer()
{
    events_.reset();
    if (client_ != nullptr)
        background_.destroy(std::move(client_));
}

asio::awaitable<transaction_outcome> transaction_writer::begin(steady_time deadline)
{
    blocking_call work = [deadline](rd_kafka_t* client) -> transaction_outcome {
        const auto error = repeat([client](int limit) { return rd_kafka_init_transactions(client, limit); }, deadline);
        return error == nullptr ? transaction_outcome{} : fatal(client, error);
    };
    auto outcome = co_await call(std::move(work), deadline + grace);
    co_return outcome;
}

asio::awaitable<transaction_outcome> transaction_writer::write(std::vector<engine::outbound_record> records,
                                                               steady_time deadline)
{
    refused_.clear();
    blocking_call work = [kept = std::make_shared<std::vector<engine::outbound_record>>(std::move(records)),
                          deadline](rd_kafka_t* client) { return write_all(client, *kept, deadline); };
    auto outcome = co_await call(std::move(work), deadline + grace + grace);
    if (outcome.result != transaction_result::written && !refused_.empty())
        outcome.error += " (" + refused_ + ')';
    co_return outcome;
}

asio::awaitable<transaction_outcome> transaction_writer::call(blocking_call work, steady_time deadline)
{
    const auto outcome = std::make_shared<std::optional<transaction_outcome>>();
    const auto made = std::make_shared<transaction_outcome>();
    background_.start(
        [client = client_, work = std::move(work), made](const std::atomic<bool>&) { *made = work(client.get()); },
        [this, outcome, made] {
            *outcome = *made;
            changed_.notify();
        });
    std::function<bool()> ended = [outcome] { return outcome->has_value(); };
    if (co_await changed_.wait_for(std::move(ended), deadline))
        co_return **outcome;
    co_return transaction_outcome{transaction_result::unknown, "the brokers did not answer in time"};
}

void transaction_writer::on_event(event_handle event)
{
    switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
        while (const rd_kafka_message_t* report = rd_kafka_event_message_next(event.get()))
            if (report->err != RD_KAFKA_RESP_ERR_NO_ERROR && refused_.empty())
                refused_ = std::string(rd_kafka_topic_name(report->rkt)) + ": " + describe(report->err);
        break;
    case RD_KAFKA_EVENT_ERROR:
        log_.write_error(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
        break;
    case RD_KAFKA_EVENT_LOG:
        log_.write_log(event.get());
        break;
    default:
        break;
    }
}

asio::awaitable<bool> transaction_writer::close(steady_time deadline)
{
    events_.reset();
    background_.destroy(std::move(client_));
    const bool destroyed = co_await background_.wait_idle(deadline);
    co_return destroyed;
}

} // namespace wxcourier::kafka
