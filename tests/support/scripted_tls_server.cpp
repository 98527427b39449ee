// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scripted_tls_server.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wxcourier::test {
namespace {

constexpr std::chrono::milliseconds for_ever = std::chrono::hours(1);

void require(bool succeeded, const char* what)
{
    if (!succeeded) {
        throw std::runtime_error(std::string("scripted server: ") + what);
    }
}

/// Length of the body a head announces.
std::size_t content_length(const std::string& head)
{
    static constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    std::size_t length = 0;
    if (at != std::string::npos) {
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    }
    return length;
}

} // namespace

scripted_connection::scripted_connection(int descriptor, std::size_t number, SSL_CTX* context,
                                         std::size_t handshake_limit)
    : descriptor_(descriptor), number_(number), handshake_left_(handshake_limit)
{
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (context != nullptr) {
        ssl_ = SSL_new(context);
        incoming_ = BIO_new(BIO_s_mem());
        outgoing_ = BIO_new(BIO_s_mem());
        require(ssl_ != nullptr && incoming_ != nullptr && outgoing_ != nullptr, "out of memory");
        SSL_set_bio(ssl_, incoming_, outgoing_);
        SSL_set_accept_state(ssl_);
    }
}

scripted_connection::~scripted_connection()
{
    close();
    SSL_free(ssl_);
}

bool scripted_connection::resumed() const noexcept
{
    return ssl_ != nullptr && SSL_session_reused(ssl_) == 1;
}

bool scripted_connection::wait_hello()
{
    char first = 0;
    return ::recv(descriptor_, &first, 1, MSG_PEEK) > 0;
}

bool scripted_connection::handshake()
{
    for (;;) {
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl_);
        const bool waits = result <= 0 && SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ;
        if (!flush()) {
            return false;
        }
        if (result == 1) {
            handshake_left_ = std::numeric_limits<std::size_t>::max();
            return true;
        }
        if (!waits || !fill(for_ever)) {
            return false;
        }
    }
}

bool scripted_connection::flush()
{
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(outgoing_, &bytes);
    const std::size_t allowed = std::min(static_cast<std::size_t>(length), handshake_left_);
    std::size_t sent = 0;
    while (sent < allowed) {
        const ssize_t step = ::send(descriptor_, bytes + sent, allowed - sent, MSG_NOSIGNAL);
        if (step <= 0) {
            return false;
        }
        sent += static_cast<std::size_t>(step);
    }
    if (allowed < static_cast<std::size_t>(length)) {
        reset();
        return false;
    }
    if (handshake_left_ != std::numeric_limits<std::size_t>::max()) {
        handshake_left_ -= allowed;
    }
    BIO_reset(outgoing_);
    return true;
}

bool scripted_connection::fill(std::chrono::milliseconds limit)
{
    pollfd waiting{descriptor_, POLLIN, 0};
    if (descriptor_ < 0 || ::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) {
        return false;
    }
    std::array<char, 16'384> bytes{};
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (got <= 0) {
        return false;
    }
    if (ssl_ != nullptr) {
        BIO_write(incoming_, bytes.data(), static_cast<int>(got));
    } else {
        received_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return true;
}

std::optional<std::string> scripted_connection::read_some()
{
    for (;;) {
        if (ssl_ == nullptr) {
            if (!received_.empty()) {
                return std::exchange(received_, {});
            }
        } else {
            std::array<char, 16'384> bytes{};
            ERR_clear_error();
            const int got = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
            if (got > 0) {
                return std::string(bytes.data(), static_cast<std::size_t>(got));
            }
            if (SSL_get_error(ssl_, got) != SSL_ERROR_WANT_READ) {
                return {};
            }
        }
        if (!fill(for_ever)) {
            return {};
        }
    }
}

std::string scripted_connection::read_request()
{
    std::string request;
    for (;;) {
        const std::size_t head = request.find("\r\n\r\n");
        if (head != std::string::npos && request.size() >= head + 4 + content_length(request)) {
            return request;
        }
        const std::optional<std::string> more = read_some();
        if (!more) {
            return {};
        }
        request += *more;
    }
}

bool scripted_connection::write(std::string_view bytes)
{
    if (bytes.empty()) {
        return true;
    }
    if (ssl_ == nullptr) {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    ERR_clear_error();
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0 && flush();
}

bool scripted_connection::wait_closed(std::chrono::milliseconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd waiting{descriptor_, POLLIN, 0};
        if (left.count() < 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
            return false;
        }
        std::array<char, 4'096> ignored{};
        if (::recv(descriptor_, ignored.data(), ignored.size(), 0) <= 0) {
            return true;
        }
    }
}

void scripted_connection::close()
{
    const std::lock_guard guard(descriptor_guard_);
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

void scripted_connection::close_with_notify()
{
    if (ssl_ != nullptr) {
        SSL_shutdown(ssl_);
        flush();
    }
    close();
}

void scripted_connection::reset()
{
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void scripted_connection::interrupt() noexcept
{
    const std::lock_guard guard(descriptor_guard_);
    if (descriptor_ >= 0) {
        ::shutdown(descriptor_, SHUT_RDWR);
    }
}

scripted_server::scripted_server(options how, script what) : how_(std::move(how)), what_(std::move(what))
{
    if (how_.identity) {
        context_.reset(SSL_CTX_new(TLS_server_method()));
        require(SSL_CTX_use_certificate(context_.get(), how_.identity->certificate.get()) == 1, "certificate");
        require(SSL_CTX_use_PrivateKey(context_.get(), how_.identity->key.get()) == 1, "key");
        SSL_CTX_set_session_id_context(context_.get(), reinterpret_cast<const unsigned char*>("test"), 4);
        if (how_.highest_version != 0) {
            // Old versions need the old security level as well.
            SSL_CTX_set_security_level(context_.get(), 0);
            SSL_CTX_set_max_proto_version(context_.get(), how_.highest_version);
        }
        if (!how_.tickets) {
            SSL_CTX_set_num_tickets(context_.get(), 0);
            SSL_CTX_set_options(context_.get(), SSL_OP_NO_TICKET);
        }
    }
    const bool six = how_.address.find(':') != std::string::npos;
    listener_ = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(listener_ >= 0, "socket");
    sockaddr_in6 address6{};
    sockaddr_in address4{};
    address6.sin6_family = AF_INET6;
    address4.sin_family = AF_INET;
    ::inet_pton(six ? AF_INET6 : AF_INET, how_.address.c_str(),
                six ? static_cast<void*>(&address6.sin6_addr) : static_cast<void*>(&address4.sin_addr));
    sockaddr* const address = six ? reinterpret_cast<sockaddr*>(&address6) : reinterpret_cast<sockaddr*>(&address4);
    socklen_t length = six ? sizeof address6 : sizeof address4;
    require(::bind(listener_, address, length) == 0, "bind");
    require(::getsockname(listener_, address, &length) == 0, "getsockname");
    port_ = ntohs(six ? address6.sin6_port : address4.sin_port);
    if (how_.listen_at_once) {
        listen();
    }
}

scripted_server::~scripted_server()
{
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (acceptor_.joinable()) {
        acceptor_.join();
    }
    ::close(listener_);
    for (const std::unique_ptr<scripted_connection>& each : connections_) {
        each->interrupt();
    }
    for (std::thread& each : threads_) {
        each.join();
    }
}

void scripted_server::listen()
{
    require(::listen(listener_, 128) == 0, "listen");
    acceptor_ = std::thread([this] { accept_all(); });
}

std::string scripted_server::url(const std::string& host) const
{
    return (how_.identity ? "https://" : "http://") + host + ':' + std::to_string(port_);
}

void scripted_server::accept_all()
{
    for (;;) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0 || stopping_) {
            if (descriptor >= 0) {
                ::close(descriptor);
            }
            return;
        }
        const std::size_t number = accepted_++;
        const std::size_t limit = how_.limit_grows ? how_.handshake_limit + number : how_.handshake_limit;
        connections_.push_back(std::make_unique<scripted_connection>(descriptor, number, context_.get(), limit));
        threads_.emplace_back([this, connection = connections_.back().get()] { serve(*connection); });
    }
}

void scripted_server::serve(scripted_connection& connection)
{
    if (how_.identity && !how_.skip_handshake) {
        if (!connection.handshake()) {
            connection.close();
            return;
        }
        ++handshakes_;
        resumed_ += connection.resumed() ? 1 : 0;
    }
    what_(connection);
    connection.close();
}

} // namespace wxcourier::test
