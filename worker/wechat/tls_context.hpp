// SPDX-License-Identifier: Apache-2.0
/// @file
/// What makes a TLS connection to WeChat trustworthy, and cheap the second time.
#pragma once

#include "wechat/base_url.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace wxcourier::wechat {

namespace asio = boost::asio;

/// The latest TLS session of one base URL: the next handshake resumes it and saves a round trip and the certificates.
/// A session comes from a handshake whose certificate was verified for that very host, so it is never shared.
class tls_session {
public:
    /// Must outlive every connection that `offer` was called for.
    tls_session() = default;
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    /// Before a handshake: offers the session there is, and has the server's new ones kept here.
    void offer(SSL* connection);
    void keep(SSL_SESSION* owned);
    void forget() noexcept { session_.reset(); }

    /// Whether the next handshake can resume a session, as far as the client knows: the server may refuse all the same.
    [[nodiscard]] bool is_resumable() const noexcept;
    /// @param tell  called when a session comes where there was none to resume: inside SSL_read of some connection, so
    ///              it must neither use nor close one.
    void on_resumable(std::function<void()> tell) { tell_ = std::move(tell); }

private:
    struct freer {
        void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
    };
    std::unique_ptr<SSL_SESSION, freer> session_;
    std::function<void()> tell_;
};

/// A client context: TLS 1.2 or later, the peer verified against `ca_file`, or against the system's trust store if
/// empty.
/// @throws boost::system::system_error  the file cannot be read or holds no certificate.
asio::ssl::context make_client_context(const std::string& ca_file);

/// Before a handshake: names the host (SNI) and has the certificate checked for it, by its alternative names only (a
/// common name counts for nothing, RFC 6125 6.4.4), wildcards for a whole label.
/// @throws boost::system::system_error  out of memory.
void expect_host(SSL* connection, const base_url& url);

/// What is wrong with the peer's certificate, in OpenSSL's words; empty: nothing found wrong so far.
std::string certificate_error(const SSL* connection);

} // namespace wxcourier::wechat
