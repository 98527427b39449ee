// SPDX-License-Identifier: Apache-2.0
#include "app/status_feed.hpp"

#include "codec/status_codec.hpp"
#include "common/log.hpp"
#include "common/version.hpp"
#include "config/durations.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;

constexpr seconds open_patience{5};
constexpr seconds close_patience{5};
constexpr milliseconds retry_pause{1'000};
constexpr milliseconds look_interval{2'000};
/// How soon a stop is noticed.
constexpr milliseconds nap{200};
/// Records between two turns of the loop: a few milliseconds.
constexpr std::size_t records_a_turn = 200;
constexpr int looks_between_tidying = 30;

wall_time wall_now()
{
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

} // namespace

std::optional<history_start> parse_history_start(std::string_view text)
{
    if (text == "live")
        return no_history{};
    if (text == "start")
        return whole_history{};
    const auto duration = config::parse_duration(text);
    if (const auto* length = std::get_if<milliseconds>(&duration); length != nullptr && length->count() > 0)
        return *length;
    return std::nullopt;
}

status_feed::status_feed(asio::any_io_executor loop, kafka::client_settings settings, std::string topic,
                         history_start history)
    : loop_(std::move(loop)), settings_(std::move(settings)), topic_(std::move(topic)), history_(history),
      live_(loop_, settings_, {topic_}, kafka::from_end{})
{
    state_.topic = topic_;
    state_.version = version;
    state_.trouble = "connecting";
}

asio::awaitable<void> status_feed::run()
{
    using namespace asio::experimental::awaitable_operators;
    co_await (follow() && watch() && read_history());
}

void status_feed::read_from_start()
{
    all_wanted_ = true;
}

dashboard::feed_state status_feed::state() const
{
    return state_;
}

asio::awaitable<void> status_feed::pause(milliseconds time)
{
    asio::steady_timer timer(loop_);
    for (milliseconds waited{0}; waited < time && !stopped_; waited += nap) {
        timer.expires_after(std::min(nap, time - waited));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

/// Lets whatever else the loop has to do go first.
asio::awaitable<void> status_feed::give_way()
{
    co_await asio::post(loop_, asio::use_awaitable);
}

/// Tries until it succeeds. False: stopped before that.
asio::awaitable<bool> status_feed::open(kafka::record_reader& reader)
{
    while (!stopped_) {
        const auto error = co_await reader.open(steady_clock::now() + open_patience);
        if (error.empty())
            co_return true;
        if (state_.trouble != error)
            log::warn("dashboard", "cannot read the statuses yet", {{"topic", topic_}, {"error", error}});
        state_.connected = false;
        state_.trouble = error;
        co_await pause(retry_pause);
    }
    co_return false;
}

asio::awaitable<void> status_feed::follow()
{
    const bool opened = co_await open(live_);
    if (opened) {
        for (const auto& [where, position] : live_.positions())
            counted_from_[where] = position.start;
        opened_at_ = wall_now();
        opened_ = true;
        state_.connected = true;
        state_.trouble.clear();
        state_.history_from = opened_at_;
        log::info("dashboard", "reading", {{"topic", topic_}});
    }
    std::size_t taken = 0;
    while (!stopped_) {
        auto record = co_await live_.next(steady_clock::now() + nap);
        while (record && !stopped_) {
            take(*record, dashboard::arrival::live);
            if (++taken % records_a_turn == 0)
                co_await give_way();
            record = live_.poll();
        }
    }
    co_await live_.close(steady_clock::now() + close_patience);
}

/// Asks the brokers now and then, so that silence can be told from an outage.
asio::awaitable<void> status_feed::watch()
{
    for (int looks = 0; !stopped_; ++looks) {
        if (opened_) {
            const auto found = co_await live_.look(steady_clock::now() + look_interval);
            if (stopped_)
                break;
            if (state_.connected != found.error.empty())
                log::warn("dashboard", found.error.empty() ? "the brokers answer again" : "the brokers do not answer",
                          {{"error", found.error}});
            state_.connected = found.error.empty();
            state_.trouble = found.error;
            state_.behind = found.error.empty() ? found.behind : state_.behind;
        }
        if (looks % looks_between_tidying == 0)
            board_.tidy(wall_now());
        co_await pause(look_interval);
    }
}

asio::awaitable<void> status_feed::read_history()
{
    while (!opened_ && !stopped_)
        co_await pause(nap);
    if (const auto* length = std::get_if<milliseconds>(&history_))
        co_await read_before(wall_time{opened_at_ - *length});
    all_wanted_ = all_wanted_ || std::holds_alternative<whole_history>(history_);
    while (!all_wanted_ && !stopped_)
        co_await pause(nap);
    if (!stopped_)
        co_await read_before(kafka::from_beginning{});
}

/// Counts what lies between `start` and what has been counted so far.
asio::awaitable<void> status_feed::read_before(kafka::read_start start)
{
    board_.history_begins(opened_at_);
    state_.history_reading = true;
    kafka::record_reader reader(loop_, settings_, {topic_}, start);
    bool complete = !co_await open(reader);
    if (!complete)
        note_progress(reader, complete);
    std::size_t taken = 0;
    while (!complete && !stopped_) {
        auto record = co_await reader.next(steady_clock::now() + nap);
        for (; record; record = reader.poll()) {
            const auto bound = counted_from_.find({record->topic, record->partition});
            // A partition that is newer than the live reader is read by that one from its first record.
            if (bound != counted_from_.end() && record->offset < bound->second)
                take(*record, dashboard::arrival::past);
            if (++taken % records_a_turn == 0)
                break;
        }
        note_progress(reader, complete);
        co_await give_way();
    }
    if (complete && !stopped_) {
        for (const auto& [where, position] : reader.positions())
            if (const auto bound = counted_from_.find(where); bound != counted_from_.end())
                bound->second = std::min(bound->second, position.start);
        const auto* from = std::get_if<wall_time>(&start);
        state_.history_from = from != nullptr ? std::optional(*from) : std::nullopt;
        state_.history_reading = false;
        board_.history_ends();
    }
    co_await reader.close(steady_clock::now() + close_patience);
}

void status_feed::note_progress(const kafka::record_reader& reader, bool& complete)
{
    state_.history_done = 0;
    state_.history_total = 0;
    complete = true;
    for (const auto& [where, position] : reader.positions()) {
        const auto bound = counted_from_.find(where);
        const auto end = bound == counted_from_.end() ? position.start : std::min(bound->second, position.end);
        state_.history_done +=
            std::clamp<std::int64_t>(position.next, position.start, std::max(position.start, end)) - position.start;
        state_.history_total += std::max<std::int64_t>(0, end - position.start);
        complete = complete && (position.next >= end || position.reached);
    }
}

void status_feed::take(const kafka::read_record& record, dashboard::arrival how)
{
    if (!record.value) // a tombstone says nothing
        return;
    if (const auto status = codec::decode_status(*record.value))
        board_.add(*status, record.timestamp, wall_now(), how);
    else
        board_.add_unreadable();
}

} // namespace wxcourier::app
