// SPDX-License-Identifier: Apache-2.0
#include "kafka/topic_admin.hpp"

#include "kafka/client_config.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace wxcourier::kafka {
namespace {

constexpr auto admin_events = RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_CREATETOPICS_RESULT;

int left_until(steady_time deadline)
{
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    return static_cast<int>(std::clamp<milliseconds::rep>(left, 1, 60'000));
}

/// What a listing of topics came to. Shared with the thread that asks.
struct listing {
    std::map<std::string, std::int32_t> topics; ///< How many partitions each has.
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
};

/// All topics are asked for: asking for one by its name may make a broker create it.
void list_topics(rd_kafka_t* client, int limit_ms, listing& result)
{
    const struct rd_kafka_metadata* received = nullptr;
    result.error = rd_kafka_metadata(client, 1, nullptr, &received, limit_ms);
    const metadata_handle metadata(received);
    for (int index = 0; metadata != nullptr && index < metadata->topic_cnt; ++index) {
        if (metadata->topics[index].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            result.topics.emplace(metadata->topics[index].topic, metadata->topics[index].partition_cnt);
        }
    }
}

new_topic_handle make_topic(const topic_specification& wanted, std::string& error)
{
    std::array<char, 512> text{};
    new_topic_handle made(
        rd_kafka_NewTopic_new(wanted.name.c_str(), wanted.partitions, wanted.replication, text.data(), text.size()));
    if (made == nullptr) {
        error = text.data();
        return made;
    }
    for (const auto& [name, value] : wanted.config) {
        rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
    }
    return made;
}

} // namespace

topic_admin::topic_admin(asio::any_io_executor loop, const client_settings& settings)
    : loop_(std::move(loop)), client_(open_client(RD_KAFKA_PRODUCER, make_conf(settings, {}, {}, admin_events))),
      background_(loop_), changed_(loop_)
{
    queue_handle queue(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue), [this](event_handle event) { on_event(std::move(event)); }, [] {});
}

topic_admin::~topic_admin()
{
    events_.reset();
    if (client_ != nullptr) {
        background_.destroy(std::move(client_));
    }
}

asio::awaitable<topic_admin::missing_topics> topic_admin::find_missing(std::vector<std::string> topics,
                                                                       steady_time deadline)
{
    const auto found = std::make_shared<listing>();
    const auto finished = std::make_shared<bool>(false);
    background_.start([client = client_, found, limit = left_until(deadline)](
                          const std::atomic<bool>&) { list_topics(client.get(), limit, *found); },
                      [this, finished] {
                          *finished = true;
                          changed_.notify();
                      });
    std::function<bool()> asked = [finished] { return *finished; };
    const bool in_time = co_await changed_.wait_for(std::move(asked), deadline);
    missing_topics answer;
    if (!in_time || found->error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        answer.error = describe(in_time ? found->error : RD_KAFKA_RESP_ERR__TIMED_OUT);
        co_return answer;
    }
    for (const std::string& topic : topics) {
        const auto there = found->topics.find(topic);
        if (there == found->topics.end()) {
            answer.missing.push_back(topic);
        } else {
            answer.partitions.insert(*there);
        }
    }
    co_return answer;
}

asio::awaitable<std::vector<std::string>> topic_admin::create(std::vector<topic_specification> topics,
                                                              steady_time deadline)
{
    const auto result = std::make_shared<creation>();
    std::vector<new_topic_handle> owned;
    std::vector<rd_kafka_NewTopic_t*> wanted;
    for (const topic_specification& each : topics) {
        std::string error;
        if (auto made = make_topic(each, error)) {
            wanted.push_back(made.get());
            owned.push_back(std::move(made));
        } else {
            result->errors.push_back(each.name + ": " + error);
        }
    }
    if (wanted.empty()) {
        co_return result->errors;
    }
    const std::uintptr_t number = ++last_creation_;
    creations_.emplace(number, result);
    const admin_options_handle options(rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
    std::array<char, 256> text{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), left_until(deadline), text.data(), text.size());
    rd_kafka_AdminOptions_set_opaque(options.get(), reinterpret_cast<void*>(number));
    rd_kafka_CreateTopics(client_.get(), wanted.data(), wanted.size(), options.get(), events_->get());
    std::function<bool()> answered = [result] { return result->answered; };
    if (!co_await changed_.wait_for(std::move(answered), deadline)) {
        creations_.erase(number);
        result->errors.emplace_back("the brokers did not answer in time");
    }
    co_return result->errors;
}

void topic_admin::on_event(event_handle event)
{
    switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
        on_created(event.get());
        break;
    case RD_KAFKA_EVENT_LOG:
        log_.write_log(event.get());
        break;
    case RD_KAFKA_EVENT_ERROR:
        log_.write_error(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
        break;
    default:
        break;
    }
}

void topic_admin::on_created(rd_kafka_event_t* event)
{
    const auto found = creations_.find(reinterpret_cast<std::uintptr_t>(rd_kafka_event_opaque(event)));
    if (found == creations_.end()) {
        return;
    }
    creation& result = *found->second;
    result.answered = true;
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result.errors.emplace_back(rd_kafka_event_error_string(event));
    } else {
        std::size_t count = 0;
        const auto* created = rd_kafka_event_CreateTopics_result(event);
        const rd_kafka_topic_result_t** topics = rd_kafka_CreateTopics_result_topics(created, &count);
        for (std::size_t index = 0; index < count; ++index) {
            const auto error = rd_kafka_topic_result_error(topics[index]);
            if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
                const char* text = rd_kafka_topic_result_error_string(topics[index]);
                result.errors.push_back(std::string(rd_kafka_topic_result_name(topics[index])) + ": " +
                                        (text != nullptr ? text : rd_kafka_err2str(error)));
            }
        }
    }
    creations_.erase(found);
    changed_.notify();
}

asio::awaitable<bool> topic_admin::close(steady_time deadline)
{
    events_.reset();
    background_.destroy(std::move(client_));
    const bool destroyed = co_await background_.wait_idle(deadline);
    co_return destroyed;
}

} // namespace wxcourier::kafka
