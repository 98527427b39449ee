// SPDX-License-Identifier: Apache-2.0
#include "app/job_search.hpp"

#include "codec/status_codec.hpp"
#include "dashboard/board_json.hpp"
#include "kafka/record_reader.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;

constexpr seconds open_patience{10};
constexpr seconds close_patience{5};
constexpr milliseconds nap{200};
constexpr std::size_t records_a_turn = 500;
constexpr std::size_t most_found = 500;

} // namespace

asio::awaitable<void> job_search::run(asio::any_io_executor loop, kafka::client_settings settings)
{
    try {
        co_await scan(std::move(loop), std::move(settings));
    } catch (const std::exception& failure) {
        error_ = failure.what();
    }
    ended_ = true;
}

asio::awaitable<void> job_search::scan(asio::any_io_executor loop, kafka::client_settings settings)
{
    kafka::record_reader reader(loop, settings, {topic_}, kafka::from_beginning{});
    error_ = co_await reader.open(steady_clock::now() + open_patience);
    for (const auto& [where, position] : reader.positions())
        total_ += position.end - position.start;
    while (error_.empty() && !stopped_ && !reader.at_end() && found_.size() < most_found) {
        auto record = co_await reader.next(steady_clock::now() + nap);
        for (std::size_t taken = 0; record; record = reader.poll()) {
            if (record->value)
                look_at(record->key, *record->value, record->timestamp);
            if (++taken == records_a_turn)
                break;
        }
        done_ = 0;
        for (const auto& [where, position] : reader.positions())
            done_ += std::min(position.next, position.end) - position.start;
        co_await asio::post(loop, asio::use_awaitable);
    }
    co_await reader.close(steady_clock::now() + close_patience);
}

void job_search::look_at(const std::optional<std::string>& key, const std::string& value, wall_time recorded)
{
    if (key != id_) // the key of a status is its job's id
        return;
    const auto status = codec::decode_status(value);
    if (status && status->id == id_)
        found_.emplace_back(*status, series_.find_or_add(*status), status->finished_at.value_or(recorded));
}

std::string job_search::progress() const
{
    std::string json = "{\"done\":" + std::to_string(done_) + ",\"total\":" + std::to_string(total_) +
                       ",\"ended\":" + (ended_ ? "true" : "false") + ",\"error\":" + dashboard::json_string(error_);
    if (ended_) {
        std::vector<const dashboard::kept_record*> records;
        records.reserve(found_.size());
        for (const auto& each : found_)
            records.push_back(&each);
        std::stable_sort(records.begin(), records.end(),
                         [](const auto* one, const auto* other) { return one->at() < other->at(); });
        json += ",\"records\":" + to_json(records, series_);
    }
    return json + '}';
}

} // namespace wxcourier::app
