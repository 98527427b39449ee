// SPDX-License-Identifier: Apache-2.0
#include "app/fleet_follower.hpp"

#include "common/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <vector>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;

/// What counts is younger than a token's two hours; a few records a second are written at most.
constexpr kafka::from_last newest_records{20'000};
constexpr seconds open_timeout{10};
constexpr seconds open_again_after{2};
/// Between two looks at whether to stop.
constexpr milliseconds longest_wait{500};
/// Nobody waits for the end of what it reads for good.
constexpr milliseconds idle_fetch{500};
constexpr seconds close_timeout{2};
/// Records read without a turn for others of the loop.
constexpr int records_a_turn = 256;

} // namespace

fleet_follower::fleet_follower(asio::any_io_executor executor, kafka::client_settings client, std::string fleet_topic,
                               std::string tokens_topic, engine::clock& time)
    : executor_(std::move(executor)), client_(std::move(client)), fleet_topic_(std::move(fleet_topic)),
      tokens_topic_(std::move(tokens_topic)), time_(time), stop_(time.make_alarm())
{
}

asio::awaitable<void> fleet_follower::run(engine::fleet_log_listener& to)
{
    std::string reported;
    while (!stopping_) {
        const bool opened = co_await open();
        if (opened)
            break;
        if (problem_ != reported)
            log::warn("fleet", "the topics that the replicas share cannot be followed", {{"reason", problem_}});
        reported = problem_;
        const auto again = time_.now() + open_again_after;
        if (!stopping_)
            co_await stop_->wait_until(again);
    }
    if (!stopping_)
        co_await follow(to);
    if (reader_) {
        const auto deadline = time_.now() + close_timeout;
        co_await reader_->close(deadline);
    }
}

/// False: not yet, `problem_` says why.
asio::awaitable<bool> fleet_follower::open()
{
    if (reader_) {
        const auto deadline = time_.now() + close_timeout;
        co_await reader_->close(deadline);
    }
    std::vector<std::string> topics{fleet_topic_};
    if (!tokens_topic_.empty())
        topics.push_back(tokens_topic_);
    reader_ = std::make_unique<kafka::record_reader>(executor_, client_, topics, newest_records, idle_fetch);
    const auto deadline = time_.now() + open_timeout;
    problem_ = co_await reader_->open(deadline);
    if (problem_.empty() && reader_->partitions_of(fleet_topic_) != 1)
        problem_ = "topic " + fleet_topic_ + " has " + std::to_string(reader_->partitions_of(fleet_topic_)) +
                   " partitions, but needs exactly one: it puts what the replicas say into one order";
    const bool opened = problem_.empty();
    co_return opened;
}

asio::awaitable<void> fleet_follower::follow(engine::fleet_log_listener& to)
{
    bool caught_up = false;
    for (int turn = 0; !stopping_; ++turn) {
        if (turn % records_a_turn == 0)
            co_await asio::post(executor_, asio::use_awaitable);
        if (!caught_up && reader_->at_end()) {
            if (to.wants_older() && began_in_the_middle())
                co_await read_older(to);
            if (stopping_)
                break;
            caught_up = true;
            to.on_log_caught_up();
        }
        const auto deadline = time_.now() + longest_wait;
        auto read = co_await reader_->next(deadline);
        if (!read)
            continue;
        const engine::log_record record{std::move(read->topic), std::move(read->key), std::move(read->value),
                                        read->offset};
        to.on_log_record(record);
    }
}

/// Whether the fleet topic has more records than were read.
bool fleet_follower::began_in_the_middle() const
{
    const auto& positions = reader_->positions();
    const auto read = positions.find({fleet_topic_, 0});
    return read != positions.end() && read->second.end - read->second.start >= newest_records.offsets;
}

/// Tells all of the fleet topic, from its first record to its end. Until that has worked nothing else is told.
asio::awaitable<void> fleet_follower::read_older(engine::fleet_log_listener& to)
{
    const std::vector<std::string> topics{fleet_topic_};
    bool done = false;
    while (!done && !stopping_) {
        kafka::record_reader whole(executor_, client_, topics, kafka::from_beginning{});
        const auto open_deadline = time_.now() + open_timeout;
        problem_ = co_await whole.open(open_deadline);
        for (int turn = 1; problem_.empty() && !stopping_ && !whole.at_end(); ++turn) {
            if (turn % records_a_turn == 0)
                co_await asio::post(executor_, asio::use_awaitable);
            const auto deadline = time_.now() + longest_wait;
            auto read = co_await whole.next(deadline);
            if (!read)
                continue;
            const engine::log_record record{std::move(read->topic), std::move(read->key), std::move(read->value),
                                            read->offset};
            to.on_older_record(record);
        }
        done = problem_.empty();
        const auto close_deadline = time_.now() + close_timeout;
        co_await whole.close(close_deadline);
        if (done || stopping_)
            break;
        log::warn("fleet", "the fleet topic cannot be read from its beginning", {{"reason", problem_}});
        const auto again = time_.now() + open_again_after;
        co_await stop_->wait_until(again);
    }
}

void fleet_follower::stop()
{
    stopping_ = true;
    stop_->wake();
}

} // namespace wxcourier::app
