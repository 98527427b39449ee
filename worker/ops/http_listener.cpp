// SPDX-License-Identifier: Apache-2.0
#include "ops/http_listener.hpp"

#include "common/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace wxcourier::ops {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t longest_header = 8 * 1024;
/// Of a stream: what the kernel holds back for a slow client is out of date by the time it is read.
constexpr int stream_send_buffer = 64 * 1024;

/// Why a request must not be answered as it stands: what an intermediary could have read in another way.
std::optional<http_reply> objection_to(const http::request<http::string_body>& request)
{
    const auto refuse = [](int status, std::string why) {
        return http_reply{status, "text/plain; charset=utf-8", std::move(why)};
    };
    if (request.version() != 11)
        return refuse(505, "HTTP/1.1 only\n");
    if (request.find(http::field::transfer_encoding) != request.end())
        return refuse(411, "a body needs a Content-Length; transfer codings are not taken\n");
    if (request.count(http::field::host) != 1)
        return refuse(400, "exactly one Host is needed\n");
    if (request.count(http::field::content_length) > 1 ||
        request[http::field::content_length].find(',') != beast::string_view::npos)
        return refuse(400, "one Content-Length only\n");
    for (const auto& field : request)
        if (field.value().find_first_of("\r\n") != beast::string_view::npos)
            return refuse(400, "folded header lines are not taken\n");
    if (request.target().empty() || request.target().front() != '/')
        return refuse(400, "the target must begin with a slash\n");
    return std::nullopt;
}

http_question question_of(http::request<http::string_body>&& request)
{
    http_question question;
    question.method = std::string(request.method_string());
    const std::string target(request.target());
    const auto mark = target.find('?');
    question.path = target.substr(0, mark);
    if (mark != std::string::npos)
        question.query = target.substr(mark + 1);
    question.authorization = std::string(request[http::field::authorization]);
    question.host = std::string(request[http::field::host]);
    question.if_none_match = std::string(request[http::field::if_none_match]);
    question.body = std::move(request.body());
    return question;
}

template <typename Response>
void set_fields(Response& response, const http_reply& answered, bool keep)
{
    response.version(11);
    response.result(static_cast<unsigned>(answered.status));
    response.set(http::field::content_type, answered.content_type);
    response.set(http::field::cache_control, answered.cache_control);
    for (const auto& [name, value] : answered.headers)
        response.set(name, value);
    response.keep_alive(keep);
}

} // namespace

struct http_listener::state : std::enable_shared_from_this<state> {
    /// A connection in the list; the ones waiting longest for a request stand first.
    struct connection {
        explicit connection(tcp::socket socket) : stream(std::move(socket)), pause(stream.get_executor()) {}
        void close()
        {
            stream.close();
            pause.cancel();
        }
        beast::tcp_stream stream;
        asio::steady_timer pause; ///< Between two pieces of a stream.
    };
    using connection_list = std::list<std::shared_ptr<connection>>;

    state(asio::any_io_executor executor, listener_options chosen, handler handle)
        : options(std::move(chosen)), answer(std::move(handle)), acceptor(executor), ended(executor), retry(executor)
    {
        try {
            const tcp::endpoint endpoint(asio::ip::make_address(options.host), options.port);
            acceptor.open(endpoint.protocol());
            acceptor.set_option(tcp::acceptor::reuse_address(true));
            acceptor.bind(endpoint);
            acceptor.listen(asio::socket_base::max_listen_connections);
        } catch (const boost::system::system_error& error) {
            throw std::runtime_error(options.name + ".listen: cannot listen on " + options.host + ':' +
                                     std::to_string(options.port) + ": " + error.code().message());
        }
    }

    asio::awaitable<void> accept_all()
    {
        while (!stopping) {
            auto [error, socket] = co_await acceptor.async_accept(as_result);
            if (stopping)
                break;
            if (error) { // out of descriptors: accepting at once again would only spin
                retry.expires_after(milliseconds{100});
                co_await retry.async_wait(as_result);
                continue;
            }
            if (connections.size() >= options.most_connections)
                connections.front()->close();
            auto made = std::make_shared<connection>(std::move(socket));
            const auto position = connections.insert(connections.end(), made);
            asio::co_spawn(acceptor.get_executor(), serve(shared_from_this(), made),
                           [self = shared_from_this(), position](std::exception_ptr) {
                               self->connections.erase(position);
                               self->ended.cancel();
                           });
        }
        while (!connections.empty()) {
            ended.expires_after(std::chrono::seconds{1});
            co_await ended.async_wait(as_result);
        }
    }

    static asio::awaitable<void> serve(std::shared_ptr<state> self, std::shared_ptr<connection> client)
    {
        beast::flat_buffer buffer;
        bool keep = true;
        while (keep && !self->stopping)
            keep = co_await self->serve_one(*client, buffer);
        error_code ignored;
        client->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
        client->stream.close();
    }

    /// One request and its answer. False: the connection has to be closed.
    asio::awaitable<bool> serve_one(connection& client, beast::flat_buffer& buffer)
    {
        auto& stream = client.stream;
        http::request_parser<http::string_body> parser;
        parser.header_limit(longest_header);
        parser.body_limit(options.longest_body);
        stream.expires_after(options.header_deadline);
        const auto [header_error, header_size] = co_await http::async_read_header(stream, buffer, parser, as_result);
        if (header_error == http::error::header_limit)
            co_return co_await reply(stream, {431, "text/plain; charset=utf-8", "header too large\n"}, false);
        if (header_error && header_error.category() == http::make_error_code(http::error::bad_method).category() &&
            header_error != http::error::end_of_stream && header_error != http::error::partial_message)
            co_return co_await reply(stream, {400, "text/plain; charset=utf-8", "not an HTTP/1.1 request\n"}, false);
        if (header_error)
            co_return false;
        if (auto objection = objection_to(parser.get()))
            co_return co_await reply(stream, std::move(*objection), false);
        stream.expires_after(options.body_deadline);
        const auto [body_error, body_size] = co_await http::async_read(stream, buffer, parser, as_result);
        if (body_error == http::error::body_limit)
            co_return co_await reply(stream, {413, "text/plain; charset=utf-8", "body too large\n"}, false);
        if (body_error)
            co_return false;
        const bool keep_alive = parser.get().keep_alive();
        auto answered = answer(question_of(parser.release()));
        if (answered.stream) {
            co_await send_stream(client, std::move(answered));
            co_return false;
        }
        const bool keep = keep_alive && answered.status < 400;
        co_return co_await reply(stream, std::move(answered), keep);
    }

    asio::awaitable<bool> reply(beast::tcp_stream& stream, http_reply answered, bool keep)
    {
        http::response<http::string_body> response;
        set_fields(response, answered, keep);
        response.body() = std::move(answered.body);
        response.prepare_payload();
        stream.expires_after(options.body_deadline);
        const auto [error, size] = co_await http::async_write(stream, response, as_result);
        co_return keep && !error;
    }

    /// Its end is the connection's: there is no Content-Length.
    asio::awaitable<void> send_stream(connection& client, http_reply answered)
    {
        error_code ignored;
        client.stream.socket().set_option(asio::socket_base::send_buffer_size(stream_send_buffer), ignored);
        http::response<http::empty_body> header;
        set_fields(header, answered, false);
        http::response_serializer<http::empty_body> serializer(header);
        client.stream.expires_after(options.body_deadline);
        auto [error, header_size] = co_await http::async_write_header(client.stream, serializer, as_result);
        while (!error && !stopping) {
            const auto piece = answered.stream();
            if (!piece)
                break;
            if (!piece->empty()) {
                client.stream.expires_after(options.body_deadline);
                const auto [failed, size] = co_await asio::async_write(client.stream, asio::buffer(*piece), as_result);
                error = failed;
            }
            if (error || stopping)
                break;
            client.pause.expires_after(answered.stream_interval);
            co_await client.pause.async_wait(as_result);
        }
    }

    listener_options options;
    handler answer;
    tcp::acceptor acceptor;
    asio::steady_timer ended;
    asio::steady_timer retry;
    connection_list connections;
    bool stopping = false;
};

http_listener::http_listener(asio::any_io_executor executor, listener_options options, handler answer)
    : state_(std::make_shared<state>(std::move(executor), std::move(options), std::move(answer)))
{
    log::info("http", "listening", {{"name", state_->options.name}, {"address", address()}});
}

http_listener::~http_listener()
{
    stop();
}

asio::awaitable<void> http_listener::run()
{
    const auto kept = state_;
    co_await kept->accept_all();
}

void http_listener::stop()
{
    state_->stopping = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
    for (const auto& each : state_->connections)
        each->close();
}

std::string http_listener::address() const
{
    error_code ignored;
    const auto endpoint = state_->acceptor.local_endpoint(ignored);
    const auto host = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(endpoint.port());
}

} // namespace wxcourier::ops
