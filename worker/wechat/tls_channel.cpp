// SPDX-License-Identifier: Apache-2.0
#include "wechat/tls_channel.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <cerrno>
#include <new>

namespace wxcourier::wechat {

using boost::system::error_code;
using outcome = channel_step::outcome;

namespace {

polled_socket& socket_of(BIO* bio)
{
    return *static_cast<polled_socket*>(BIO_get_data(bio));
}

int write_to_socket(BIO* bio, const char* bytes, int length)
{
    BIO_clear_retry_flags(bio);
    const ssize_t sent = socket_of(bio).send({bytes, static_cast<std::size_t>(length)});
    if (sent < 0 && errno == EAGAIN) {
        BIO_set_retry_write(bio);
    }
    return static_cast<int>(sent);
}

int read_from_socket(BIO* bio, char* into, int length)
{
    BIO_clear_retry_flags(bio);
    const ssize_t received = socket_of(bio).receive({into, static_cast<std::size_t>(length)});
    if (received < 0 && errno == EAGAIN) {
        BIO_set_retry_read(bio);
    }
    return static_cast<int>(received);
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH ? 1 : 0; // Nothing is held back here.
}

/// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE, and cannot say how much the kernel has taken.
BIO_METHOD* socket_method()
{
    static BIO_METHOD* const made = [] {
        BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "polled socket");
        if (method == nullptr) {
            throw std::bad_alloc();
        }
        BIO_meth_set_write(method, &write_to_socket);
        BIO_meth_set_read(method, &read_from_socket);
        BIO_meth_set_ctrl(method, &control);
        return method;
    }();
    return made;
}

/// So that those found after the next call are its own.
void forget_errors() noexcept
{
    errno = 0;
    ERR_clear_error();
}

} // namespace

SSL* tls_channel::begin_tls(SSL_CTX* context)
{
    tls_.reset(SSL_new(context));
    BIO* const bio = BIO_new(socket_method());
    if (tls_ == nullptr || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, &socket_);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls_.get(), bio, bio);
    SSL_set_connect_state(tls_.get());
    return tls_.get();
}

channel_step tls_channel::shake_hands() noexcept
{
    forget_errors();
    return judge(SSL_do_handshake(tls_.get()));
}

channel_step tls_channel::write(std::span<const char> bytes) noexcept
{
    if (tls_ == nullptr) {
        return plain(socket_.send(bytes), outcome::wants_write);
    }
    forget_errors();
    return judge(SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

channel_step tls_channel::read(std::span<char> into) noexcept
{
    if (tls_ == nullptr) {
        return plain(socket_.receive(into), outcome::wants_read);
    }
    forget_errors();
    return judge(SSL_read(tls_.get(), into.data(), static_cast<int>(into.size())));
}

channel_step tls_channel::plain(ssize_t result, outcome waits) const noexcept
{
    if (result > 0) {
        return {outcome::done, static_cast<std::size_t>(result), {}};
    }
    if (result < 0 && errno == EAGAIN) {
        return {waits, 0, {}};
    }
    if (result == 0) {
        return {outcome::failed, 0, boost::asio::error::make_error_code(boost::asio::error::eof)};
    }
    return {outcome::failed, 0, {errno, boost::system::system_category()}};
}

channel_step tls_channel::judge(int result) noexcept
{
    const int saved_errno = errno;
    if (result > 0) {
        return {outcome::done, static_cast<std::size_t>(result), {}};
    }
    switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        return {outcome::wants_read, 0, {}};
    case SSL_ERROR_WANT_WRITE:
        return {outcome::wants_write, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
        return {outcome::failed, 0, boost::asio::error::make_error_code(boost::asio::error::eof)};
    case SSL_ERROR_SSL:
        return {outcome::failed, 0, {static_cast<int>(ERR_get_error()), boost::asio::error::get_ssl_category()}};
    default:
        // The socket's own failure; without one it ended, and no good-bye was said.
        if (saved_errno != 0 && saved_errno != EAGAIN) {
            return {outcome::failed, 0, {saved_errno, boost::system::system_category()}};
        }
        return {outcome::failed, 0, boost::asio::error::make_error_code(boost::asio::error::eof)};
    }
}

bool tls_channel::has_unread() const noexcept
{
    return tls_ != nullptr && SSL_has_pending(tls_.get()) == 1;
}

bool tls_channel::says_more() noexcept
{
    char next = 0;
    ERR_clear_error();
    const int peeked = SSL_peek(tls_.get(), &next, 1);
    const bool waits = peeked <= 0 && SSL_get_error(tls_.get(), peeked) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return !waits;
}

void tls_channel::say_goodbye() noexcept
{
    // To wait for the far end's half could take forever; the first one is all that is owed.
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
}

} // namespace wxcourier::wechat
