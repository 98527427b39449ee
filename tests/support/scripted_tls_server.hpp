// SPDX-License-Identifier: Apache-2.0
/// @file
/// A far end that does exactly what a test tells it, byte by byte: the faults of networks and servers on demand.
#pragma once

#include "tests/support/test_authority.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wxcourier::test {

/// One accepted connection, as its script sees it. Used by one thread; every call may block until the client acts or
/// the server stops.
class scripted_connection {
public:
    scripted_connection(int descriptor, std::size_t number, SSL_CTX* context, std::size_t handshake_limit);
    scripted_connection(const scripted_connection&) = delete;
    scripted_connection& operator=(const scripted_connection&) = delete;
    ~scripted_connection();

    /// Which connection this is, from 0.
    [[nodiscard]] std::size_t number() const noexcept { return number_; }
    [[nodiscard]] bool resumed() const noexcept;

    /// Waits for the client's first byte and takes nothing. False: the client closed without one.
    bool wait_hello();
    /// TLS only. False: it failed, or the server's bytes came to the limit and the connection was reset there.
    bool handshake();
    /// The next request, head and body. Empty: the client closed (or the server stops) before it was complete.
    std::string read_request();
    /// False: the client is gone.
    bool write(std::string_view bytes);
    /// Waits for the client to close, at most that long. False: it has not.
    bool wait_closed(std::chrono::milliseconds limit = std::chrono::hours(1));
    void close();             ///< FIN, without TLS's good-bye.
    void close_with_notify(); ///< TLS's good-bye, then FIN.
    void reset();             ///< RST.

    /// Ends whatever call blocks; from any thread.
    void interrupt() noexcept;

private:
    bool fill(std::chrono::milliseconds limit);
    bool flush();
    std::optional<std::string> read_some();

    std::mutex descriptor_guard_;
    int descriptor_;
    std::size_t number_;
    SSL* ssl_ = nullptr;
    BIO* incoming_ = nullptr;
    BIO* outgoing_ = nullptr;
    std::size_t handshake_left_;
    std::string received_;
};

/// Listens on a loopback port of its own and runs the script for each connection on a thread of its own.
class scripted_server {
public:
    using script = std::function<void(scripted_connection&)>;

    struct options {
        std::optional<server_identity> identity; ///< Empty: plain HTTP.
        std::string address = "127.0.0.1";
        bool listen_at_once = true; ///< False: connections are refused until `listen`.
        std::size_t handshake_limit = std::numeric_limits<std::size_t>::max(); ///< Server's bytes, then RST.
        bool limit_grows = false; ///< Each connection's limit is one byte more, from `handshake_limit`.
        int highest_version = 0;  ///< Such as TLS1_2_VERSION; 0: the newest.
        bool tickets = true;
        bool skip_handshake = false; ///< The script calls `handshake` itself, or does not.
    };

    scripted_server(options how, script what);
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    ~scripted_server();

    void listen();
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// `https://host:port` or `http://…`.
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;
    [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }
    [[nodiscard]] std::size_t handshakes() const noexcept { return handshakes_; }
    [[nodiscard]] std::size_t resumed() const noexcept { return resumed_; }

private:
    void accept_all();
    void serve(scripted_connection& connection);

    options how_;
    script what_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<std::size_t> accepted_{0};
    std::atomic<std::size_t> handshakes_{0};
    std::atomic<std::size_t> resumed_{0};
    std::atomic<bool> stopping_{false};
    std::vector<std::unique_ptr<scripted_connection>> connections_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

} // namespace wxcourier::test
