// SPDX-License-Identifier: Apache-2.0
/// @file
/// One connection: reads requests one after another and puts the replies on the wire, faults included.
#pragma once

#include "common/time.hpp"
#include "simulator/request_reader.hpp"
#include "simulator/simulation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace wxcourier::simulator {

namespace asio = boost::asio;

/// What the server needs of a connection to end it.
class open_connection {
public:
    virtual ~open_connection() = default;

    /// Closes the socket: whatever the connection waits for ends now.
    virtual void close() noexcept = 0;

    /// When the server may close it. One sweep over all connections a second takes the place of a timer for each read
    /// and write.
    steady_time deadline = steady_time::max();
};

/// What all connections of a server share. On the server's thread only.
struct connection_registry {
    explicit connection_registry(settings initial) : sim(std::move(initial)) {}

    simulation sim;
    std::unordered_map<std::uint64_t, open_connection*> open;
    std::uint64_t last_number = 0;
};

/// The head of a response, ready to be followed by its body.
std::string response_head(const reply& sent, bool keep_alive);

/// Stream: asio::ip::tcp::socket, or asio::ssl::stream around one.
template <class Stream>
class connection final : public open_connection {
public:
    connection(std::shared_ptr<connection_registry> registry, Stream stream)
        : registry_(std::move(registry)), number_(++registry_->last_number), stream_(std::move(stream)),
          timer_(stream_.get_executor())
    {
        registry_->open.emplace(number_, this);
        registry_->sim.counters().connection_opens();
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() override
    {
        registry_->open.erase(number_);
        registry_->sim.counters().connection_closes();
    }

    void close() noexcept override
    {
        boost::system::error_code ignored;
        closed_ = true;
        timer_.cancel();
        stream_.lowest_layer().close(ignored);
    }

    /// Serves the connection until it ends. Keep the object alive until this has completed.
    asio::awaitable<void> run()
    {
        const bool ready = co_await handshake();
        if (!ready) {
            co_return;
        }
        for (bool more = true; more;) {
            more = co_await read_request();
            if (more) {
                more = co_await answer_request();
            }
        }
    }

private:
    static constexpr seconds handshake_limit{10};
    static constexpr seconds read_limit{75}; ///< From the end of one request to the end of the next.
    static constexpr seconds write_limit{75};
    static constexpr seconds stall_limit{600};
    static constexpr seconds farewell_limit{2};
    static constexpr bool encrypted = !std::is_same_v<Stream, asio::ip::tcp::socket>;

    struct in_flight {
        statistics& counters;
        ~in_flight() { counters.request_ends(); }
    };

    void allow(seconds span) { deadline = steady_clock::now() + span; }

    asio::awaitable<bool> handshake()
    {
        if constexpr (encrypted) {
            allow(handshake_limit);
            const auto [error] =
                co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
            co_return !error;
        } else {
            co_return true;
        }
    }

    /// False: the connection has ended. A request that cannot be parsed counts as read, and says so.
    asio::awaitable<bool> read_request()
    {
        allow(read_limit);
        request_reader reader(request_);
        bool continued = false;
        while (!parse(reader)) {
            if (request_.expects_continue && !continued) {
                static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
                continued = true;
                const bool written = co_await write(go_on);
                if (!written) {
                    co_return false;
                }
            }
            const auto [error, length] =
                co_await stream_.async_read_some(buffer_.prepare(16'384), asio::as_tuple(asio::use_awaitable));
            if (error) {
                co_return false;
            }
            buffer_.commit(length);
        }
        request_.keep_alive = !request_.malformed && reader.keep_alive();
        co_return true;
    }

    /// Feeds what has come to the parser. True: the request is complete, or will never be.
    bool parse(request_reader& reader)
    {
        boost::system::error_code error;
        while (buffer_.size() > 0 && !reader.is_done()) {
            const std::size_t taken = reader.put(buffer_.data(), error);
            buffer_.consume(taken);
            if (error == http::error::need_more || (!error && taken == 0)) {
                return false;
            }
            if (error) {
                request_.malformed = true;
                return true;
            }
        }
        return reader.is_done();
    }

    /// True: the connection can take another request.
    asio::awaitable<bool> answer_request()
    {
        registry_->sim.counters().request_begins();
        const in_flight counted{registry_->sim.counters()};
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        reply answer = registry_->sim.respond(request_, number_, now);
        co_return co_await send(std::move(answer));
    }

    asio::awaitable<bool> send(reply answer)
    {
        if (answer.delay.count() > 0) {
            const bool waited = co_await pause(answer.delay);
            if (!waited) {
                co_return false;
            }
        }
        const bool keep_alive = request_.keep_alive && !answer.close;
        // A truncated response announces what it never sends, so it must not announce its end either.
        out_ = response_head(answer, keep_alive || answer.reset_after || answer.stall_after || answer.truncate_to);
        const std::size_t head = out_.size();
        out_ += answer.body;
        const std::size_t whole = out_.size();
        const std::size_t length = answer.reset_after   ? std::min(*answer.reset_after, whole)
                                   : answer.stall_after ? std::min(*answer.stall_after, whole)
                                   : answer.truncate_to ? std::min(head + *answer.truncate_to, whole)
                                                        : whole;
        const std::string_view bytes = std::string_view(out_).substr(0, length);
        bool written = false;
        if (answer.drip) {
            written = co_await drip(bytes, *answer.drip);
        } else {
            written = co_await write(bytes);
        }
        if (!written) {
            co_return false;
        }
        if (answer.reset_after) {
            reset();
            co_return false;
        }
        if (answer.stall_after) {
            co_await wait_for_end(stall_limit);
            co_return false;
        }
        if (!keep_alive) {
            co_await say_goodbye();
        }
        co_return keep_alive;
    }

    asio::awaitable<bool> write(std::string_view bytes)
    {
        if (bytes.empty()) {
            co_return !closed_;
        }
        allow(write_limit);
        const auto buffer = asio::buffer(bytes.data(), bytes.size());
        const auto [error, length] = co_await asio::async_write(stream_, buffer, asio::as_tuple(asio::use_awaitable));
        co_return !error && length == bytes.size();
    }

    asio::awaitable<bool> drip(std::string_view bytes, milliseconds between)
    {
        for (; !bytes.empty(); bytes.remove_prefix(1)) {
            bool going = co_await write(bytes.substr(0, 1));
            if (going) {
                going = co_await pause(between);
            }
            if (!going) {
                co_return false;
            }
        }
        co_return true;
    }

    asio::awaitable<bool> pause(milliseconds span)
    {
        deadline = steady_clock::now() + span + write_limit;
        timer_.expires_after(span);
        const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return !error && !closed_;
    }

    /// Ends the connection so that the client sees a reset: unsent data and the orderly end are dropped.
    void reset()
    {
        boost::system::error_code ignored;
        stream_.lowest_layer().set_option(asio::socket_base::linger(true, 0), ignored);
        close();
    }

    /// Reads and drops until the client ends the connection.
    asio::awaitable<void> wait_for_end(seconds limit)
    {
        allow(limit);
        boost::system::error_code failure;
        while (!failure) {
            buffer_.clear();
            const auto [error, length] =
                co_await stream_.async_read_some(buffer_.prepare(16'384), asio::as_tuple(asio::use_awaitable));
            failure = error;
        }
    }

    /// An orderly end that lets the client read everything first.
    asio::awaitable<void> say_goodbye()
    {
        allow(farewell_limit);
        if constexpr (encrypted) {
            const auto [error] = co_await stream_.async_shutdown(asio::as_tuple(asio::use_awaitable));
            static_cast<void>(error); // The client may close without a word; nothing hangs on it.
        } else {
            boost::system::error_code ignored;
            stream_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
            co_await wait_for_end(farewell_limit);
        }
    }

    std::shared_ptr<connection_registry> registry_;
    std::uint64_t number_;
    Stream stream_;
    asio::steady_timer timer_;
    boost::beast::flat_buffer buffer_;
    http_request request_;
    std::string out_;
    bool closed_ = false;
};

} // namespace wxcourier::simulator
