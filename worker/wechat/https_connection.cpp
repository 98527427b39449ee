// SPDX-License-Identifier: Apache-2.0
#include "wechat/https_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cerrno>
#include <sstream>

#include <sys/socket.h>

namespace wxcourier::wechat {

using asio::ip::tcp;
using boost::system::error_code;
using domain::reach;
using domain::transport_failure;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// One read: more than any answer WeChat documents.
constexpr std::size_t read_size = 4 * 1024;
/// Received and not yet parsed, most: a head, and one line of a chunk or the trailers.
constexpr std::size_t most_received = 4 * response_reader::longest_head;
/// A server that keeps saying 1xx says nothing.
constexpr int most_interim = 8;

std::string describe(const tcp::endpoint& address)
{
    std::ostringstream text;
    text << address;
    return text.str();
}

std::string describe(const error_code& error)
{
    return error == beast::error::timeout ? "timed out" : error.message();
}

/// Feeds what was received to the parser of one answer, over the interim ones before it.
class answer_parser {
public:
    enum class progress : std::uint8_t { incomplete, complete, unreadable };

    progress feed(beast::flat_buffer& received)
    {
        while (received.size() > 0) {
            error_code error;
            received.consume(reader().put(received.cdata(), error));
            if (error == beast::http::error::need_more) {
                return received.size() + read_size > most_received ? progress::unreadable : progress::incomplete;
            }
            if (error || reader().is_unbounded() || reader().status() == 101) {
                return progress::unreadable;
            }
            if (!reader().is_done()) {
                return progress::incomplete;
            }
            if (!reader().is_interim()) {
                return progress::complete;
            }
            if (++interim_ > most_interim) {
                return progress::unreadable;
            }
            reader_.emplace();
        }
        return progress::incomplete;
    }

    response_reader& reader() { return *reader_; } // NOLINT(bugprone-unchecked-optional-access): never empty

private:
    std::optional<response_reader> reader_{std::in_place}; ///< A parser cannot be used twice; only so is it replaced.
    int interim_ = 0;
};

} // namespace

https_connection::https_connection(asio::io_context& io, const base_url& url, asio::ssl::context& context,
                                   tls_session& session)
    : url_(url), session_(session), context_(context), tcp_(io), received_(most_received)
{
}

https_connection::~https_connection()
{
    close();
    OPENSSL_cleanse(request_.data(), request_.size());
}

asio::awaitable<https_connection::connect_outcome>
https_connection::connect_tcp(address_list addresses, steady_time deadline, steady_duration address_timeout)
{
    connect_outcome outcome;
    outcome.failure = transport_failure::connect;
    for (std::size_t at = 0; at < addresses.size() && steady_clock::now() < deadline; ++at) {
        const bool last = at + 1 == addresses.size();
        tcp_.expires_at(last ? deadline : std::min(deadline, steady_clock::now() + address_timeout));
        const auto [error] = co_await tcp_.async_connect(addresses[at], as_result);
        if (!error) {
            outcome.failure = transport_failure::none;
            break;
        }
        if (error == asio::error::operation_aborted) {
            outcome.failure = transport_failure::cancelled;
            outcome.error = "cancelled";
            co_return outcome;
        }
        outcome.failed.push_back(addresses[at]);
        outcome.error = "connect to " + describe(addresses[at]) + ": " + describe(error);
        // The next address may need a socket of the other family.
        tcp_.close();
    }
    if (outcome.failure == transport_failure::none) {
        error_code ignored; // Without it the connection is slower, not wrong.
        tcp_.socket().set_option(tcp::no_delay(true), ignored);
    } else if (outcome.error.empty()) {
        outcome.error = "connect to " + url_.authority + ": timed out";
    }
    co_return outcome;
}

asio::awaitable<https_connection::connect_outcome>
https_connection::connect(address_list addresses, steady_time deadline, steady_duration address_timeout)
{
    connect_outcome outcome = co_await connect_tcp(std::move(addresses), deadline, address_timeout);
    if (outcome.failure == transport_failure::none && url_.tls) {
        tls_.emplace(tcp_, context_);
        SSL* const native = tls_->native_handle();
        expect_host(native, url_);
        session_.offer(native);
        tcp_.expires_at(deadline);
        error_code not_connected;
        const tcp::endpoint address = tcp_.socket().remote_endpoint(not_connected);
        const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, as_result);
        if (error == asio::error::operation_aborted) {
            outcome.failure = transport_failure::cancelled;
            outcome.error = "cancelled";
        } else if (error) {
            // Whatever the reason was, the next handshake begins without the old session's help.
            session_.forget();
            const std::string certificate = certificate_error(native);
            outcome.failure = transport_failure::tls;
            outcome.error = "TLS with " + url_.authority + ": " + (certificate.empty() ? describe(error) : certificate);
            outcome.failed.assign(1, address);
        }
    }
    clean_ = outcome.failure == transport_failure::none;
    if (clean_) {
        tcp_.expires_never();
    }
    co_return outcome;
}

asio::awaitable<exchange_outcome> https_connection::exchange(steady_time deadline)
{
    return tls_ ? exchange_over(*tls_, deadline) : exchange_over(tcp_, deadline);
}

template <class Stream>
asio::awaitable<exchange_outcome> https_connection::exchange_over(Stream& stream, steady_time deadline)
{
    clean_ = false;
    ++uses_;
    written_before_ = tcp_.rate_policy().written();
    tcp_.expires_at(deadline);
    const auto [write_error, bytes_written] = co_await asio::async_write(stream, asio::buffer(request_), as_result);
    OPENSSL_cleanse(request_.data(), request_.size());
    if (write_error) {
        co_return broken(write_error, transport_failure::write);
    }
    answer_parser parser;
    received_bytes_ = 0;
    for (;;) {
        const auto [read_error, bytes_read] = co_await stream.async_read_some(received_.prepare(read_size), as_result);
        if (read_error) {
            co_return broken(read_error, transport_failure::reset);
        }
        received_.commit(bytes_read);
        received_bytes_ += bytes_read;
        const answer_parser::progress progress = parser.feed(received_);
        if (progress == answer_parser::progress::complete) {
            co_return answered(parser.reader());
        }
        if (progress == answer_parser::progress::unreadable) {
            exchange_outcome outcome;
            outcome.reach = reach::unknown;
            outcome.failure = transport_failure::bad_answer;
            outcome.error = "the answer is no HTTP response within limits";
            co_return outcome;
        }
    }
}

exchange_outcome https_connection::answered(response_reader& reader)
{
    exchange_outcome outcome;
    outcome.reach = reach::answered;
    outcome.status = reader.status();
    outcome.retry_after = reader.retry_after();
    outcome.body = reader.take_body();
    clean_ = reader.keep_alive() && received_.size() == 0 && is_silent_after_answer();
    if (clean_) {
        tcp_.expires_never();
    }
    // A token's answer may have been in there. Only what was received is wiped: all of the buffer would be 1 µs a push.
    received_.clear();
    const auto memory = received_.prepare(std::min(received_.capacity(), received_bytes_));
    OPENSSL_cleanse(memory.data(), memory.size());
    return outcome;
}

exchange_outcome https_connection::broken(const error_code& error, transport_failure otherwise) const
{
    exchange_outcome outcome;
    outcome.reach = request_bytes_written() ? reach::unknown : reach::not_sent;
    const bool writing = otherwise == transport_failure::write;
    outcome.error = (writing ? "sending to " : "reading from ") + url_.authority + ": " + describe(error);
    if (error == asio::error::operation_aborted) {
        outcome.failure = transport_failure::cancelled;
    } else if (error == beast::error::timeout) {
        outcome.failure = transport_failure::timeout;
    } else if (error.category() == asio::error::get_ssl_category()) {
        outcome.failure = transport_failure::tls;
    } else {
        outcome.failure = otherwise;
    }
    return outcome;
}

bool https_connection::request_bytes_written() const noexcept
{
    return tcp_.rate_policy().written() > written_before_;
}

bool https_connection::is_silent_after_answer()
{
    SSL* const native = tls_ ? tls_->native_handle() : nullptr;
    if (native == nullptr || (SSL_pending(native) == 0 && BIO_ctrl_pending(SSL_get_rbio(native)) == 0)) {
        return true;
    }
    // Records came along with the answer: fine if they are session tickets, the end if they close or say more.
    char next = 0;
    ERR_clear_error();
    const int peeked = SSL_peek(native, &next, 1);
    const bool waits = peeked <= 0 && SSL_get_error(native, peeked) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return waits;
}

bool https_connection::is_alive()
{
    char next = 0;
    const ssize_t peeked = ::recv(tcp_.socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (peeked > 0) {
        // After the handshake TLS 1.3 servers send session tickets, which wait for the first answer to be read.
        return tls_ && uses_ == 0;
    }
    return peeked < 0 && errno == EAGAIN;
}

void https_connection::close() noexcept
{
    if (tls_ && tcp_.socket().is_open()) {
        SSL* const native = tls_->native_handle();
        if (clean_) {
            say_goodbye(native);
        }
        // Otherwise OpenSSL takes the end for an attack and makes the session useless for the next connection.
        SSL_set_shutdown(native, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    clean_ = false;
    tcp_.close();
}

void https_connection::say_goodbye(SSL* native) noexcept
{
    // async_shutdown waits for the far end, which may never answer; its first half is all that is owed. The alert goes
    // into a buffer of its own, since Asio's is out of reach, and from there to the kernel, if there is room.
    BIO* const buffer = BIO_new(BIO_s_mem());
    if (buffer == nullptr) {
        return;
    }
    SSL_set0_wbio(native, buffer);
    ERR_clear_error();
    SSL_shutdown(native);
    ERR_clear_error();
    char* alert = nullptr;
    const long length = BIO_get_mem_data(buffer, &alert);
    if (length > 0) {
        ::send(tcp_.socket().native_handle(), alert, static_cast<std::size_t>(length), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

} // namespace wxcourier::wechat
