// SPDX-License-Identifier: Apache-2.0
#include "wechat/https_connection.hpp"

#include "wechat/answer_head.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace wxcourier::wechat {

using asio::ip::tcp;
using boost::system::error_code;
using domain::reach;
using domain::transport_failure;

namespace {

/// One read: a whole TLS record, so that nothing of it is left in OpenSSL's buffer, which then goes.
constexpr std::size_t read_size = 16 * 1024;
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

error_code error_of(polled_socket::wake woken)
{
    switch (woken) {
    case polled_socket::wake::ready:
        return {};
    case polled_socket::wake::timed_out:
        return beast::error::timeout;
    case polled_socket::wake::cancelled:
        break;
    }
    return asio::error::operation_aborted;
}

/// What every connection reads into: one read is looked at before another one is made. Wiped after each, because a
/// token may have been in there; only what was received, as all of it would be 1 µs a push.
class read_buffer {
public:
    static read_buffer& shared()
    {
        thread_local read_buffer only;
        return only;
    }
    std::span<char> room() noexcept { return bytes_; }
    [[nodiscard]] std::string_view first(std::size_t length) const noexcept { return {bytes_.data(), length}; }
    void wipe(std::size_t length) noexcept { OPENSSL_cleanse(bytes_.data(), length); }

private:
    std::array<char, read_size> bytes_{};
};

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

https_connection::https_connection(socket_poller& poller, const base_url& url, asio::ssl::context& context,
                                   tls_session& session)
    : url_(url), session_(session), context_(context), socket_(poller)
{
}

https_connection::~https_connection()
{
    close();
    OPENSSL_cleanse(request_.data(), request_.size());
}

/// No coroutine of its own: its frame would be allocated for each wait.
asio::awaitable<polled_socket::wake> https_connection::wait_for(const step& unfinished, steady_time deadline)
{
    using direction = polled_socket::direction;
    const bool reading = unfinished.what == step::outcome::wants_read;
    return socket_.wait(reading ? direction::reading : direction::writing, deadline);
}

asio::awaitable<error_code> https_connection::connect_to(tcp::endpoint address, steady_time deadline)
{
    error_code error = socket_.connect(address);
    if (!error) {
        error = error_of(co_await wait_for({step::outcome::wants_write, 0, {}}, deadline));
    }
    co_return error ? error : socket_.connect_error();
}

asio::awaitable<https_connection::connect_outcome>
https_connection::connect_tcp(address_list addresses, steady_time deadline, steady_duration address_timeout)
{
    connect_outcome outcome;
    outcome.failure = transport_failure::connect;
    for (std::size_t at = 0; at < addresses.size() && steady_clock::now() < deadline; ++at) {
        const bool last = at + 1 == addresses.size();
        const steady_time until = last ? deadline : std::min(deadline, steady_clock::now() + address_timeout);
        const error_code error = co_await connect_to(addresses[at], until);
        if (!error) {
            outcome.failure = transport_failure::none;
            address_ = addresses[at];
            co_return outcome;
        }
        socket_.close();
        if (error == asio::error::operation_aborted) {
            outcome.failure = transport_failure::cancelled;
            outcome.error = "cancelled";
            co_return outcome;
        }
        outcome.failed.push_back(addresses[at]);
        outcome.error = "connect to " + describe(addresses[at]) + ": " + describe(error);
    }
    if (outcome.error.empty()) {
        outcome.error = "connect to " + url_.authority + ": timed out";
    }
    co_return outcome;
}

asio::awaitable<error_code> https_connection::shake_hands(steady_time deadline)
{
    for (;;) {
        const step made = channel_.shake_hands();
        if (made.what == step::outcome::done) {
            co_return error_code{};
        }
        if (made.what == step::outcome::failed) {
            co_return made.error;
        }
        const error_code error = error_of(co_await wait_for(made, deadline));
        if (error) {
            co_return error;
        }
    }
}

asio::awaitable<https_connection::connect_outcome>
https_connection::connect(address_list addresses, steady_time deadline, steady_duration address_timeout)
{
    connect_outcome outcome = co_await connect_tcp(std::move(addresses), deadline, address_timeout);
    if (outcome.failure == transport_failure::none && url_.tls) {
        SSL* const native = channel_.begin_tls(context_.native_handle());
        expect_host(native, url_);
        session_.offer(native);
        const error_code error = co_await shake_hands(deadline);
        if (error == asio::error::operation_aborted) {
            outcome.failure = transport_failure::cancelled;
            outcome.error = "cancelled";
        } else if (error) {
            // Whatever the reason was, the next handshake begins without the old session's help.
            session_.forget();
            const std::string certificate = certificate_error(native);
            outcome.failure = transport_failure::tls;
            outcome.error = "TLS with " + url_.authority + ": " + (certificate.empty() ? describe(error) : certificate);
            outcome.failed.assign(1, address_);
        }
    }
    clean_ = outcome.failure == transport_failure::none;
    co_return outcome;
}

asio::awaitable<exchange_outcome> https_connection::exchange(steady_time deadline)
{
    clean_ = false;
    ++uses_;
    written_before_ = socket_.written();
    std::span<const char> unwritten = request_;
    while (!unwritten.empty()) {
        const step made = channel_.write(unwritten);
        error_code error = made.error;
        if (made.what == step::outcome::done) {
            unwritten = unwritten.subspan(made.bytes);
        } else if (made.what != step::outcome::failed) {
            error = error_of(co_await wait_for(made, deadline));
        }
        if (error) {
            OPENSSL_cleanse(request_.data(), request_.size());
            co_return broken(error, transport_failure::write);
        }
    }
    OPENSSL_cleanse(request_.data(), request_.size());
    // The answer cannot be there yet: to wait first saves a recv that finds nothing.
    step next{step::outcome::wants_read, 0, {}};
    for (;;) {
        const error_code error = error_of(co_await wait_for(next, deadline));
        if (error) {
            co_return broken(error, transport_failure::reset);
        }
        read_buffer& buffer = read_buffer::shared();
        next = channel_.read(buffer.room());
        if (next.what == step::outcome::failed) {
            co_return broken(next.error, transport_failure::reset);
        }
        if (next.what != step::outcome::done) {
            continue; // Half a record, or one that is TLS's own.
        }
        const std::string_view received = buffer.first(next.bytes);
        const auto head = read_usual_head(received);
        if (!head || received.size() - head->size != head->body_length) {
            co_return co_await read_piecewise(received, deadline);
        }
        exchange_outcome outcome;
        outcome.reach = reach::answered;
        outcome.status = head->status;
        outcome.body = received.substr(head->size);
        buffer.wipe(next.bytes);
        clean_ = is_silent_after_answer();
        co_return outcome;
    }
}

asio::awaitable<exchange_outcome> https_connection::read_piecewise(std::string_view received, steady_time deadline)
{
    beast::flat_buffer kept(most_received + read_size);
    const auto keep = [&kept](std::string_view bytes) {
        std::memcpy(kept.prepare(bytes.size()).data(), bytes.data(), bytes.size());
        kept.commit(bytes.size());
        read_buffer::shared().wipe(bytes.size());
    };
    const auto wipe = [&kept] {
        kept.clear();
        const auto memory = kept.prepare(kept.capacity());
        OPENSSL_cleanse(memory.data(), memory.size());
    };
    keep(received);
    answer_parser parser;
    exchange_outcome outcome;
    outcome.reach = reach::unknown;
    for (;;) {
        const answer_parser::progress progress = parser.feed(kept);
        if (progress == answer_parser::progress::complete) {
            break;
        }
        if (progress == answer_parser::progress::unreadable) {
            wipe();
            outcome.failure = transport_failure::bad_answer;
            outcome.error = "the answer is no HTTP response within limits";
            co_return outcome;
        }
        step next = channel_.read(read_buffer::shared().room());
        error_code error = next.error;
        if (next.what == step::outcome::done) {
            keep(read_buffer::shared().first(next.bytes));
        } else if (next.what != step::outcome::failed) {
            error = error_of(co_await wait_for(next, deadline));
        }
        if (error) {
            wipe();
            co_return broken(error, transport_failure::reset);
        }
    }
    response_reader& reader = parser.reader();
    outcome.reach = reach::answered;
    outcome.status = reader.status();
    outcome.retry_after = reader.retry_after();
    outcome.body = reader.take_body();
    clean_ = reader.keep_alive() && kept.size() == 0 && is_silent_after_answer();
    wipe();
    co_return outcome;
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
    return socket_.written() > written_before_;
}

bool https_connection::is_silent_after_answer()
{
    // Records may have come along with the answer: fine if they are session tickets, the end if they close or say more.
    return !channel_.has_unread() || !channel_.says_more();
}

bool https_connection::is_alive()
{
    if (socket_.is_silent()) {
        return true;
    }
    const ssize_t peeked = socket_.peek();
    if (peeked > 0) {
        // After the handshake TLS 1.3 servers send session tickets, which wait for the first answer to be read.
        return channel_.tls() != nullptr && uses_ == 0;
    }
    return peeked < 0 && errno == EAGAIN;
}

void https_connection::close() noexcept
{
    if (SSL* const native = channel_.tls(); native != nullptr && socket_.is_open()) {
        if (clean_) {
            channel_.say_goodbye();
        }
        // Otherwise OpenSSL takes the end for an attack and makes the session useless for the next connection.
        SSL_set_shutdown(native, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    clean_ = false;
    socket_.close();
}

} // namespace wxcourier::wechat
