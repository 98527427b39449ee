// SPDX-License-Identifier: Apache-2.0
/// @file
/// TCP sockets that wait by one epoll instance of our own, which Asio watches as if it were one descriptor. What Asio's
/// own sockets cost a push, and these do not: an attempt to read that finds nothing before each wait (or an epoll_ctl),
/// two timers, a handler that is allocated and queued for each step.
#pragma once

#include "common/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sys/epoll.h>

namespace wxcourier::wechat {

namespace asio = boost::asio;

class polled_socket;

/// The sockets' common epoll instance, and one timer for all their deadlines. Must outlive its sockets. Not
/// thread-safe.
class socket_poller {
public:
    /// @throws std::system_error  the process may open no more files.
    explicit socket_poller(asio::io_context& io);
    socket_poller(const socket_poller&) = delete;
    socket_poller& operator=(const socket_poller&) = delete;
    ~socket_poller();

private:
    friend class polled_socket;
    struct watch;

    [[nodiscard]] boost::system::error_code add(polled_socket& added);
    void forget(polled_socket& gone) noexcept;
    void expect_by(steady_time deadline);
    std::size_t look() noexcept;
    void on_ready();
    void catch_up();
    void on_deadline();

    std::shared_ptr<watch> watch_; ///< Shared with the handlers of Asio, which may run after the poller has gone.
    std::vector<epoll_event> ready_;
    std::size_t serving_ = 0;        ///< Of `ready_`, those that were served.
    std::size_t found_ = 0;          ///< Of `ready_`, those of the present round.
    bool up_to_date_ = false;        ///< The kernel was asked in the present turn of the loop.
    polled_socket* first_ = nullptr; ///< Those that wait, the earliest deadline first.
    polled_socket* last_ = nullptr;
    std::size_t sockets_ = 0;
    std::optional<steady_time> timer_at_;
};

/// One TCP socket, non-blocking. Used by one coroutine at a time; destroying it closes it. Not thread-safe.
class polled_socket {
public:
    /// What ended a wait.
    enum class wake : std::uint8_t { ready, timed_out, cancelled };
    enum class direction : std::uint8_t { reading, writing };

    explicit polled_socket(socket_poller& poller) : poller_(poller) {}
    polled_socket(const polled_socket&) = delete;
    polled_socket& operator=(const polled_socket&) = delete;
    ~polled_socket() { close(); }

    /// Begins to connect, without delay of small writes. `wait` for `writing`, then ask `connect_error`.
    /// @return what the kernel said against it at once.
    boost::system::error_code connect(const asio::ip::tcp::endpoint& to);
    [[nodiscard]] boost::system::error_code connect_error() const;
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    /// As recv(2) and send(2): never wait. Less than asked, or -1 with EAGAIN, means that `wait` has to follow.
    ssize_t receive(std::span<char> into) noexcept;
    ssize_t send(std::span<const char> bytes) noexcept;
    /// Bytes that the kernel has taken so far.
    [[nodiscard]] std::uint64_t written() const noexcept { return written_; }

    /// Completes when the socket can be read or written, as far as is known: at once, if nothing has shown the contrary
    /// since the kernel last said so. Cancellation: terminal, partial.
    asio::awaitable<wake> wait(direction wanted, steady_time deadline);

    /// Looks, without taking anything, what has come: as recv(2) with MSG_PEEK.
    [[nodiscard]] ssize_t peek() noexcept;

    /// Whether nothing has come since all was read, neither bytes nor the end, as of the present turn of the loop: the
    /// first who asks in a turn has the kernel asked about all sockets at once, so that a burst of requests costs one
    /// system call and not one each.
    [[nodiscard]] bool is_silent();

    /// Whatever waits ends with `cancelled`, from the loop.
    void close() noexcept;

private:
    friend class socket_poller;
    using handler = asio::async_result<asio::use_awaitable_t<>, void(wake)>::handler_type;

    void start_wait(handler resume, direction wanted, steady_time deadline);
    void learn(std::uint32_t events) noexcept;
    [[nodiscard]] bool may_go_on() const noexcept { return waiter_ && is_ready(waits_for_); }
    void end_wait(wake how);
    void end_wait_later(wake how);
    void link(steady_time deadline);
    void unlink() noexcept;
    [[nodiscard]] bool is_ready(direction wanted) const noexcept
    {
        return wanted == direction::reading ? readable_ : writable_;
    }

    socket_poller& poller_;
    int descriptor_ = -1;
    bool readable_ = false; ///< The kernel said so, and no read has found less than it asked for since.
    bool writable_ = false;
    bool ended_ = false; ///< The far end closed, or the connection broke; there may be something left to read.
    bool linked_ = false;
    direction waits_for_ = direction::reading;
    std::optional<handler> waiter_;
    steady_time deadline_{};
    polled_socket* before_ = nullptr; ///< In the order of deadlines.
    polled_socket* after_ = nullptr;
    std::uint64_t written_ = 0;
};

} // namespace wxcourier::wechat
