// SPDX-License-Identifier: Apache-2.0
#include "wechat/tls_context.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace wxcourier::wechat {
namespace {

/// Where a connection's `tls_session` hangs on OpenSSL's object.
int session_index()
{
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

/// OpenSSL hands over a session (TLS 1.3: with every ticket, after the handshake). Returns 1: the session is ours now.
int keep_session(SSL* connection, SSL_SESSION* session)
{
    auto* const keeper = static_cast<tls_session*>(SSL_get_ex_data(connection, session_index()));
    if (keeper == nullptr) {
        return 0;
    }
    keeper->keep(session);
    return 1;
}

void require(bool succeeded, const char* what)
{
    if (!succeeded) {
        throw boost::system::system_error(static_cast<int>(ERR_get_error()), asio::error::get_ssl_category(), what);
    }
}

} // namespace

void tls_session::offer(SSL* connection)
{
    SSL_set_ex_data(connection, session_index(), this);
    if (is_resumable()) {
        // A copy, which shares the certificates: OpenSSL lets a ticket of TLS 1.3 be used once and marks what it was
        // given when the handshake ends. That is for those whom nobody should recognise; a worker's address does not
        // change.
        const std::unique_ptr<SSL_SESSION, freer> copy(SSL_SESSION_dup(session_.get()));
        SSL_set_session(connection, copy.get());
    }
}

void tls_session::keep(SSL_SESSION* owned)
{
    const bool had_one = is_resumable();
    session_.reset(owned);
    if (!had_one && tell_ && is_resumable()) {
        tell_();
    }
}

bool tls_session::is_resumable() const noexcept
{
    if (session_ == nullptr || SSL_SESSION_is_resumable(session_.get()) != 1) {
        return false;
    }
    // After a quiet night a ticket may be too old; without a word of the server's, as old as OpenSSL takes it for good.
    const auto told = static_cast<long>(SSL_SESSION_get_ticket_lifetime_hint(session_.get()));
    const long lifetime = told > 0 ? told : SSL_SESSION_get_timeout(session_.get());
    return std::time(nullptr) - SSL_SESSION_get_time(session_.get()) < lifetime;
}

asio::ssl::context make_client_context(const std::string& ca_file)
{
    asio::ssl::context context(asio::ssl::context::tls_client);
    SSL_CTX* const native = context.native_handle();
    require(SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1, "TLS 1.2");
    context.set_verify_mode(asio::ssl::verify_peer);
    if (ca_file.empty()) {
        context.set_default_verify_paths();
    } else {
        context.load_verify_file(ca_file);
    }
    // A record's head and body come with one recv; and a connection that waits has no buffers (34 KB of them).
    SSL_CTX_set_read_ahead(native, 1);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(native, &keep_session);
    return context;
}

void expect_host(SSL* connection, const base_url& url)
{
    if (url.is_address) {
        // RFC 6066 3: an address is no server name.
        require(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), url.host.c_str()) == 1, "server address");
        return;
    }
    require(SSL_set_tlsext_host_name(connection, url.host.c_str()) == 1, "server name");
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    require(SSL_set1_host(connection, url.host.c_str()) == 1, "server name");
}

std::string certificate_error(const SSL* connection)
{
    const long result = SSL_get_verify_result(connection);
    return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

} // namespace wxcourier::wechat
