// SPDX-License-Identifier: Apache-2.0
/// @file
/// The status topic → the dashboard's board: what comes now, at once, and beside it the history, from the near past
/// backwards in at most two steps. So the page says what is the case now before a long topic has been read.
#pragma once

#include "common/time.hpp"
#include "dashboard/board_json.hpp"
#include "dashboard/status_board.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/record_reader.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wxcourier::app {

struct no_history {};
struct whole_history {};
/// How much of what is in the topic already is counted.
using history_start = std::variant<no_history, whole_history, milliseconds>;

/// `start`, `live`, or a duration such as `24h`. Empty: neither.
std::optional<history_start> parse_history_start(std::string_view text);

/// One loop, one thread.
class status_feed {
public:
    /// Throws kafka::configuration_error.
    status_feed(boost::asio::any_io_executor loop, kafka::client_settings settings, std::string topic,
                history_start history);
    status_feed(const status_feed&) = delete;
    status_feed& operator=(const status_feed&) = delete;

    /// Reads until stop(). A topic or a broker that is not there is waited for, and said in state().
    boost::asio::awaitable<void> run();
    void stop() noexcept { stopped_ = true; }

    /// Has everything counted that lies before what has been counted so far. Idempotent.
    void read_from_start();

    [[nodiscard]] const dashboard::status_board& board() const noexcept { return board_; }
    [[nodiscard]] dashboard::feed_state state() const;
    [[nodiscard]] const kafka::client_settings& client() const noexcept { return settings_; }
    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }

private:
    using offsets = std::map<kafka::topic_partition, std::int64_t>;

    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<void> read_history();
    boost::asio::awaitable<void> read_before(kafka::read_start start);
    boost::asio::awaitable<bool> open(kafka::record_reader& reader);
    boost::asio::awaitable<void> pause(milliseconds time);
    boost::asio::awaitable<void> give_way();
    void take(const kafka::read_record& record, dashboard::arrival how);
    void note_progress(const kafka::record_reader& reader, bool& complete);

    boost::asio::any_io_executor loop_;
    kafka::client_settings settings_;
    std::string topic_;
    history_start history_;
    dashboard::status_board board_;
    kafka::record_reader live_;
    bool opened_ = false;
    wall_time opened_at_{};
    bool stopped_ = false;
    bool all_wanted_ = false;
    /// First offset counted of each partition: the history ends before it.
    offsets counted_from_;
    dashboard::feed_state state_;
};

} // namespace wxcourier::app
