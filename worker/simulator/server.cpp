// SPDX-License-Identifier: Apache-2.0
#include "simulator/server.hpp"

#include "common/log.hpp"
#include "simulator/certificate_authority.hpp"
#include "simulator/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace wxcourier::simulator {

namespace {

using tcp = asio::ip::tcp;

constexpr milliseconds accept_backoff{100};
constexpr seconds sweep_interval{1};

std::string_view reason(unsigned status) noexcept
{
    return boost::beast::http::obsolete_reason(static_cast<http::status>(status));
}

/// Every coroutine ends through here: none of them may throw, so an exception is a defect to be seen.
void report(const std::exception_ptr& failure)
{
    if (!failure) {
        return;
    }
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log::error("simulator", "a connection's coroutine failed", {{"error", error.what()}});
    }
}

asio::ssl::context make_tls_context(const server_identity& identity)
{
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
    context.use_certificate(asio::buffer(identity.certificate), asio::ssl::context::pem);
    context.use_private_key(asio::buffer(identity.private_key.reveal().data(), identity.private_key.reveal().size()),
                            asio::ssl::context::pem);
    return context;
}

} // namespace

std::string response_head(const reply& sent, bool keep_alive)
{
    std::string head = "HTTP/1.1 ";
    head.reserve(256 + sent.body.size());
    const auto text = reason(sent.status);
    head.append(std::to_string(sent.status)).append(" ").append(text.data(), text.size());
    head.append(keep_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close");
    if (sent.status != 204 && sent.status != 304) {
        head.append("\r\nContent-Type: ").append(sent.content_type);
        head.append("\r\nContent-Length: ").append(std::to_string(sent.body.size()));
    }
    head.append("\r\n\r\n");
    return head;
}

struct server::shared : connection_registry {
    shared(const asio::any_io_executor& executor, server_options wanted)
        : connection_registry(std::move(wanted.rules)), options(std::move(wanted)), acceptor(executor),
          accept_pause(executor), sweep_timer(executor)
    {
    }

    server_options options;
    tcp::acceptor acceptor;
    asio::steady_timer accept_pause;
    asio::steady_timer sweep_timer;
    std::optional<asio::ssl::context> tls;
    std::string ca_pem;
};

namespace {

/// The connection stays alive until its coroutine has ended.
template <class Stream>
void serve(std::shared_ptr<connection_registry> registry, Stream stream)
{
    const auto executor = stream.get_executor();
    const auto served = std::make_shared<connection<Stream>>(std::move(registry), std::move(stream));
    asio::co_spawn(executor, served->run(), [served](const std::exception_ptr& failure) { report(failure); });
}

template <class Shared>
asio::awaitable<void> accept_all(std::shared_ptr<Shared> shared)
{
    while (shared->acceptor.is_open()) {
        auto [error, socket] = co_await shared->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
        if (!shared->acceptor.is_open()) {
            co_return;
        }
        if (error) {
            // Out of descriptors, as a rule: spinning would not bring them back.
            shared->accept_pause.expires_after(accept_backoff);
            const auto [ignored] = co_await shared->accept_pause.async_wait(asio::as_tuple(asio::use_awaitable));
            static_cast<void>(ignored);
            continue;
        }
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        if (auto& tls = shared->tls) {
            serve(shared, asio::ssl::stream<tcp::socket>(std::move(socket), *tls));
        } else {
            serve(shared, std::move(socket));
        }
    }
}

template <class Shared>
asio::awaitable<void> sweep(std::shared_ptr<Shared> shared)
{
    while (shared->acceptor.is_open()) {
        shared->sweep_timer.expires_after(sweep_interval);
        const auto [error] = co_await shared->sweep_timer.async_wait(asio::as_tuple(asio::use_awaitable));
        static_cast<void>(error); // Cancelled only when the acceptor has been closed.
        const steady_time now = steady_clock::now();
        for (const auto& [number, open] : shared->open) {
            if (open->deadline <= now) {
                open->close();
            }
        }
    }
}

} // namespace

server::server(boost::asio::any_io_executor executor, server_options options)
    : shared_(std::make_shared<shared>(executor, std::move(options)))
{
}

server::~server()
{
    stop();
}

void server::start()
{
    const auto& options = shared_->options;
    if (!options.plain && !shared_->tls) {
        auto names = usual_host_names();
        names.push_back(options.address);
        names.insert(names.end(), options.host_names.begin(), options.host_names.end());
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        const auto identity = options.tls_directory.empty() ? make_server_identity(names, now)
                                                            : load_or_make_identity(options.tls_directory, names, now);
        shared_->ca_pem = identity.ca_certificate;
        shared_->tls.emplace(make_tls_context(identity));
    }
    // A second start() listens where the first did.
    const tcp::endpoint wanted(asio::ip::make_address(options.address), options.port);
    shared_->acceptor.open(wanted.protocol());
    shared_->acceptor.set_option(asio::socket_base::reuse_address(true));
    shared_->acceptor.bind(wanted);
    shared_->acceptor.listen();
    shared_->options.port = shared_->acceptor.local_endpoint().port();
    const auto executor = shared_->acceptor.get_executor();
    asio::co_spawn(executor, accept_all(shared_), report);
    asio::co_spawn(executor, sweep(shared_), report);
}

void server::stop() noexcept
{
    boost::system::error_code ignored;
    shared_->acceptor.close(ignored);
    shared_->accept_pause.cancel();
    shared_->sweep_timer.cancel();
    for (const auto& [number, open] : shared_->open) {
        open->close();
    }
}

std::string server::url() const
{
    const auto address = asio::ip::make_address(shared_->options.address);
    const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return (shared_->options.plain ? "http://" : "https://") + host + ":" + std::to_string(port());
}

std::uint16_t server::port() const
{
    return shared_->options.port;
}

const std::string& server::ca_pem() const noexcept
{
    return shared_->ca_pem;
}

simulation& server::state() noexcept
{
    return shared_->sim;
}

} // namespace wxcourier::simulator
