// SPDX-License-Identifier: Apache-2.0
/// @file
/// One connection to WeChat: opens it, exchanges one request at a time, knows whether it may be used again and, when
/// something breaks, whether WeChat can have got the request.
#pragma once

#include "domain/push_reply.hpp"
#include "wechat/base_url.hpp"
#include "wechat/host_resolver.hpp"
#include "wechat/response_reader.hpp"
#include "wechat/socket_poller.hpp"
#include "wechat/tls_channel.hpp"
#include "wechat/tls_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <string>
#include <string_view>

namespace wxcourier::wechat {

/// How an exchange ended, before anything of the body is understood.
struct exchange_outcome {
    domain::reach reach = domain::reach::not_sent;
    domain::transport_failure failure = domain::transport_failure::none;
    int status = 0; ///< HTTP; 0: no complete answer.
    std::string body;
    std::string retry_after; ///< The header, as it came.
    std::string error;       ///< What the transport said; names neither query nor body.
};

/// Lives as long as one connection; is used by one coroutine at a time. Coroutines of its own it has none: destroying
/// it closes the socket. Not thread-safe.
class https_connection {
public:
    /// @param poller, url, session, context  must outlive the connection.
    https_connection(socket_poller& poller, const base_url& url, asio::ssl::context& context, tls_session& session);
    https_connection(const https_connection&) = delete;
    https_connection& operator=(const https_connection&) = delete;
    ~https_connection();

    struct connect_outcome {
        domain::transport_failure failure = domain::transport_failure::none; ///< `connect`, `tls` or `cancelled`.
        std::string error;
        /// Those that did not work; after a TLS failure, the one that was connected.
        address_list failed;
    };

    /// Connects to the first address that answers and shakes hands. Once, at the beginning.
    /// @param address_timeout  for one of several addresses; the last one has all the time that is left.
    asio::awaitable<connect_outcome> connect(address_list addresses, steady_time deadline,
                                             steady_duration address_timeout);

    /// Where the next request's bytes belong: head and body in one piece. Wiped once they are written.
    std::string& request() noexcept { return request_; }

    /// Sends `request()` and reads the answer. Never throws for the far end's doing; a cancelled coroutine may see
    /// operation_aborted thrown, then `request_bytes_written()` says what was done.
    asio::awaitable<exchange_outcome> exchange(steady_time deadline);

    /// Whether any byte of the latest request was handed to the kernel.
    [[nodiscard]] bool request_bytes_written() const noexcept;

    /// Whether the connection may carry another request: connected, and its last exchange left it clean.
    [[nodiscard]] bool is_clean() const noexcept { return clean_; }

    /// Asks the kernel, without waiting, whether the far end has closed an idle connection or sent what nobody asked
    /// for.
    [[nodiscard]] bool is_alive();

    [[nodiscard]] std::uint64_t uses() const noexcept { return uses_; }

    /// Closes at once; whatever waits on it ends with operation_aborted. An idle TLS connection says good-bye if the
    /// kernel takes it.
    void close() noexcept;

private:
    using step = channel_step;

    asio::awaitable<connect_outcome> connect_tcp(address_list addresses, steady_time deadline,
                                                 steady_duration address_timeout);
    asio::awaitable<boost::system::error_code> connect_to(asio::ip::tcp::endpoint address, steady_time deadline);
    asio::awaitable<boost::system::error_code> shake_hands(steady_time deadline);
    asio::awaitable<polled_socket::wake> wait_for(const step& unfinished, steady_time deadline);
    asio::awaitable<exchange_outcome> read_piecewise(std::string_view received, steady_time deadline);
    [[nodiscard]] exchange_outcome broken(const boost::system::error_code& error,
                                          domain::transport_failure otherwise) const;
    [[nodiscard]] bool is_silent_after_answer();

    const base_url& url_;
    tls_session& session_;
    asio::ssl::context& context_;
    polled_socket socket_;
    tls_channel channel_{socket_};
    std::string request_;
    std::uint64_t written_before_ = 0; ///< Bytes on the wire when the latest exchange began.
    std::uint64_t uses_ = 0;
    asio::ip::tcp::endpoint address_; ///< The one it is connected to.
    bool clean_ = false;
};

} // namespace wxcourier::wechat
