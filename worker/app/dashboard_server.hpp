// SPDX-License-Identifier: Apache-2.0
/// @file
/// The ops page: joins the status feed, the board and the HTTP listener. `wxcourier dashboard` and the demo run one.
#pragma once

#include "app/job_search.hpp"
#include "app/real_clock.hpp"
#include "app/status_feed.hpp"
#include "engine/task_group.hpp"
#include "kafka/client_settings.hpp"
#include "ops/http_listener.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::app {

struct dashboard_options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0 takes a free one.
    history_start history = milliseconds{std::chrono::hours{24}};
};

/// Lives on one io_context, run by one thread.
class dashboard_server {
public:
    /// Listens at once. @throws std::runtime_error when the address cannot be had, kafka::configuration_error.
    dashboard_server(boost::asio::io_context& io, kafka::client_settings settings, std::string status_topic,
                     dashboard_options options);
    dashboard_server(const dashboard_server&) = delete;
    dashboard_server& operator=(const dashboard_server&) = delete;

    /// Serves until stop().
    boost::asio::awaitable<void> run();
    void stop();

    /// `http://127.0.0.1:8090/`.
    [[nodiscard]] std::string url() const { return "http://" + listener_.address() + '/'; }

private:
    /// A snapshot that several viewers may share.
    struct cached_snapshot {
        steady_time made{};
        std::string json;
    };

    ops::http_reply answer(const ops::http_question& question);
    ops::http_reply answer_api(const ops::http_question& question);
    ops::http_reply look_up_job(const std::string& query);
    ops::http_reply search_job(const std::string& query);
    /// @param name  the query as it was asked.
    const std::string& snapshot(const dashboard::board_query& query, const std::string& name);

    boost::asio::io_context& io_;
    bool loopback_;
    real_clock clock_;
    status_feed feed_;
    engine::task_group tasks_;
    ops::http_listener listener_;
    std::map<std::string, cached_snapshot> snapshots_;
    /// Held by every stream that is open; its use count is their number.
    std::shared_ptr<int> viewers_ = std::make_shared<int>(0);
    std::vector<std::weak_ptr<job_search>> searches_;
};

} // namespace wxcourier::app
