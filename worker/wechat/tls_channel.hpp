// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bytes over one socket, through TLS or plain: OpenSSL writes to the socket and reads from it itself, without a copy
/// in between, so that a request is one send and an answer one recv.
#pragma once

#include "wechat/socket_poller.hpp"

#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>

#include <memory>
#include <span>

namespace wxcourier::wechat {

/// What came of one attempt to move bytes; none of them waits.
struct channel_step {
    enum class outcome : std::uint8_t {
        done,        ///< `bytes` were moved, at least one.
        wants_read,  ///< Nothing, or nothing more, until the socket can be read: then the same attempt again.
        wants_write, ///< The same with writing.
        failed,      ///< `error` says why; `asio::error::eof`: the far end has closed.
    };
    outcome what = outcome::done;
    std::size_t bytes = 0;
    boost::system::error_code error; ///< Of the TLS category where TLS is at fault.
};

/// Not thread-safe.
class tls_channel {
public:
    explicit tls_channel(polled_socket& socket) : socket_(socket) {}

    /// From here on the bytes go through TLS.
    /// @throws std::bad_alloc
    SSL* begin_tls(SSL_CTX* context);
    [[nodiscard]] SSL* tls() const noexcept { return tls_.get(); }
    void end_tls() noexcept { tls_.reset(); }

    channel_step shake_hands() noexcept;
    /// All of `bytes`, or a wait first: then the same bytes again, from where plain ones stopped.
    channel_step write(std::span<const char> bytes) noexcept;
    channel_step read(std::span<char> into) noexcept;

    /// Whether bytes have come that nobody has read, as far as OpenSSL holds them.
    [[nodiscard]] bool has_unread() const noexcept;
    /// Whether what has come is data or the end, rather than what TLS says to itself.
    [[nodiscard]] bool says_more() noexcept;
    /// The first half of TLS's good-bye, if the kernel takes it.
    void say_goodbye() noexcept;

private:
    struct freer {
        void operator()(SSL* freed) const noexcept { SSL_free(freed); }
    };

    channel_step judge(int result) noexcept;
    [[nodiscard]] channel_step plain(ssize_t result, channel_step::outcome waits) const noexcept;

    polled_socket& socket_;
    std::unique_ptr<SSL, freer> tls_;
};

} // namespace wxcourier::wechat
