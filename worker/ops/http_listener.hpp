// SPDX-License-Identifier: Apache-2.0
/// @file
/// A small, strict HTTP/1.1 server for probes, metrics, administration and the dashboard: Content-Length bodies only,
/// total deadlines, a bound on connections. What Beast's parser lets through and an intermediary may read otherwise is
/// refused here.
#pragma once

#include "common/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::ops {

struct http_question {
    std::string method;
    std::string path; ///< Without the query.
    std::string query;
    std::string authorization; ///< The header's value; empty: none.
    std::string body;
    std::string host{};          ///< The header's value.
    std::string if_none_match{}; ///< The header's value; empty: none.
    std::string operator_name{}; ///< Of `X-Operator`, as it came; empty: none.
    std::string peer{};          ///< The address the connection comes from.
};

struct http_reply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{}; ///< Further ones.
    std::string cache_control = "no-store";
    /// When set, the body is what this gives, piece after piece, and `body` is not looked at. It is asked at most once
    /// in `stream_interval`, and not before the piece before it has gone out: a slow client gets fewer pieces, never a
    /// queue of them. An empty piece: nothing to say now. No piece: the end. It goes with the connection.
    std::function<std::optional<std::string>()> stream{};
    milliseconds stream_interval{1'000};
    /// When set, the answer is what this completes with, in bounded time; the rest is not looked at.
    std::function<boost::asio::awaitable<http_reply>()> later{};
};

struct listener_options {
    std::string name; ///< In the log line `listening`.
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0 takes a free one.
    /// Beyond it somebody new takes the place of whoever has kept the listener waiting for a request longest.
    std::size_t most_connections = 256;
    std::size_t most_requests = 1'000; ///< On one connection; then it is closed.
    std::size_t longest_body = 64 * 1024;
    milliseconds header_deadline{5'000}; ///< For a request's whole header, however it trickles in.
    milliseconds body_deadline{10'000};  ///< For its body; then for the answer, or one piece of a stream.
    milliseconds idle_deadline{15'000};  ///< Between two requests.
};

/// Listens until stop(). The handler runs on the loop and must not block; a question's body is there whole, at most
/// `longest_body`, whatever the method. HEAD is answered like GET if the handler takes it. Not thread-safe.
class http_listener {
public:
    using handler = std::function<http_reply(const http_question&)>;

    /// Binds at once. @throws std::runtime_error, with a text for the operator, when the address cannot be had.
    http_listener(boost::asio::any_io_executor executor, listener_options options, handler answer);
    ~http_listener();
    http_listener(const http_listener&) = delete;
    http_listener& operator=(const http_listener&) = delete;

    /// Accepts until stop(); to be spawned once. Completes when every connection has ended.
    boost::asio::awaitable<void> run();
    /// Closes the listener and all connections.
    void stop();

    /// `127.0.0.1:8080`: the address it got.
    [[nodiscard]] std::string address() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace wxcourier::ops
