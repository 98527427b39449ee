// SPDX-License-Identifier: Apache-2.0
/// @file
/// Looks through the whole status topic for the statuses of one job, which the dashboard no longer remembers.
#pragma once

#include "dashboard/kept_record.hpp"
#include "dashboard/series_table.hpp"
#include "kafka/client_settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::app {

/// One search. One loop, one thread.
class job_search {
public:
    job_search(std::string id, std::string topic) : id_(std::move(id)), topic_(std::move(topic)) {}
    job_search(const job_search&) = delete;
    job_search& operator=(const job_search&) = delete;

    /// Reads the topic from its beginning to what is its end now, or until stop(), or until it has found very many.
    boost::asio::awaitable<void> run(boost::asio::any_io_executor loop, kafka::client_settings settings);
    void stop() noexcept { stopped_ = true; }

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    /// `{"done":…,"total":…,"ended":…,"error":…,"records":[…]}`, the records only at the end.
    [[nodiscard]] std::string progress() const;

private:
    boost::asio::awaitable<void> scan(boost::asio::any_io_executor loop, kafka::client_settings settings);
    void look_at(const std::optional<std::string>& key, const std::string& value, wall_time recorded);

    std::string id_;
    std::string topic_;
    dashboard::series_table series_;
    std::vector<dashboard::kept_record> found_;
    std::int64_t done_ = 0;
    std::int64_t total_ = 0;
    std::string error_;
    bool stopped_ = false;
    bool ended_ = false;
};

} // namespace wxcourier::app
