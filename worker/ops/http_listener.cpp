// SPDX-License-Identifier: Apache-2.0
#include "ops/http_listener.hpp"

#include "common/log.hpp"
#include "ops/request_rules.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
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
constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
/// Of a stream: what the kernel holds back for a slow client is out of date by the time it is read.
constexpr int stream_send_buffer = 64 * 1024;

http_reply reply_of(refusal why)
{
    return {why.status, "text/plain; charset=utf-8", std::move(why.why)};
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
    question.operator_name = std::string(request["X-Operator"]);
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
    struct connection;
    using connection_list = std::list<std::shared_ptr<connection>>;
    struct connection {
        explicit connection(tcp::socket socket) : stream(std::move(socket)), pause(stream.get_executor()) {}
        void close()
        {
            closed = true;
            stream.close();
            pause.cancel();
        }
        beast::tcp_stream stream;
        asio::steady_timer pause;       ///< Between two pieces of a stream.
        beast::flat_buffer buffer;      ///< What came and has not been read as a request.
        connection_list::iterator self; ///< Those that have been waiting longest for a request stand first.
        std::size_t requests = 0;       ///< Answered on it.
        bool awaiting = true;           ///< For a request, or the rest of one: what is cut off first.
        bool closed = false;            ///< Its coroutine has still to notice.
    };

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
            if (open >= options.most_connections)
                cut_one_off();
            auto made = std::make_shared<connection>(std::move(socket));
            made->self = connections.insert(connections.end(), made);
            ++open;
            asio::co_spawn(acceptor.get_executor(), serve(shared_from_this(), made),
                           [self = shared_from_this(), position = made->self](std::exception_ptr) {
                               if (!(*position)->closed)
                                   --self->open;
                               self->connections.erase(position);
                               self->ended.cancel();
                           });
        }
        while (!connections.empty()) {
            ended.expires_after(std::chrono::seconds{1});
            co_await ended.async_wait(as_result);
        }
    }

    /// Makes room for somebody new: whoever has kept us waiting longest goes, so that neither half a request nor an
    /// idle connection keeps a probe out; where all are being answered, the one that began first.
    void cut_one_off()
    {
        auto chosen = std::find_if(connections.begin(), connections.end(),
                                   [](const auto& each) { return each->awaiting && !each->closed; });
        if (chosen == connections.end())
            chosen =
                std::find_if(connections.begin(), connections.end(), [](const auto& each) { return !each->closed; });
        if (chosen == connections.end())
            return;
        (*chosen)->close();
        --open;
    }

    static asio::awaitable<void> serve(std::shared_ptr<state> self, std::shared_ptr<connection> client)
    {
        bool keep = true;
        while (keep && !self->stopping && !client->closed) {
            client->awaiting = true;
            self->connections.splice(self->connections.end(), self->connections, client->self);
            keep = co_await self->serve_one(*client);
        }
        error_code ignored;
        client->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
        client->stream.close();
    }

    /// Reads a request's line and fields into the buffer. False: the connection has gone.
    /// @param objection  set when the request must be refused as it stands.
    asio::awaitable<bool> read_head(connection& client, std::optional<refusal>& objection)
    {
        auto& stream = client.stream;
        auto& buffer = client.buffer;
        bool idle = client.requests > 0 && buffer.size() == 0; // which may last longer than half a request
        stream.expires_after(idle ? options.idle_deadline : options.header_deadline);
        while (true) {
            const std::string_view come(static_cast<const char*>(buffer.data().data()), buffer.size());
            if (const auto end = come.find(head_end); end != std::string_view::npos && end <= longest_header) {
                objection = objection_to_bytes(come.substr(0, end + head_end.size()));
                co_return true;
            }
            if (come.size() > longest_header) {
                objection = refusal{431, "header too large\n"};
                co_return true;
            }
            const auto [error, size] = co_await stream.async_read_some(buffer.prepare(2048), as_result);
            if (error)
                co_return false;
            buffer.commit(size);
            if (std::exchange(idle, false))
                stream.expires_after(options.header_deadline); // for the whole of it, however it trickles in
        }
    }

    /// One request and its answer. False: the connection has to be closed.
    asio::awaitable<bool> serve_one(connection& client)
    {
        auto& stream = client.stream;
        std::optional<refusal> objection;
        if (!co_await read_head(client, objection))
            co_return false;
        http::request_parser<http::string_body> parser;
        parser.header_limit(longest_header + 1024);
        parser.body_limit(options.longest_body);
        if (!objection) {
            const auto [error, size] = co_await http::async_read_header(stream, client.buffer, parser, as_result);
            if (error == http::error::body_limit)
                objection = refusal{413, "body too large\n"};
            else if (error && error.category() == http::make_error_code(http::error::bad_method).category())
                objection = refusal{400, "not an HTTP/1.1 request\n"};
            else if (error)
                co_return false;
            else
                objection = objection_to(parser.get());
        }
        if (objection)
            co_return co_await reply(client, reply_of(std::move(*objection)), false, false);
        stream.expires_after(options.body_deadline);
        if (parser.get().count(http::field::expect) > 0 && client.buffer.size() == 0) {
            const auto [error, size] = co_await asio::async_write(stream, asio::buffer(go_on), as_result);
            if (error)
                co_return false;
        }
        const auto [body_error, body_size] = co_await http::async_read(stream, client.buffer, parser, as_result);
        if (body_error == http::error::body_limit)
            co_return co_await reply(client, reply_of({413, "body too large\n"}), false, false);
        if (body_error)
            co_return false;
        client.awaiting = false;
        const bool head_only = parser.get().method() == http::verb::head;
        const bool keep_alive = parser.get().keep_alive() && ++client.requests < options.most_requests;
        auto question = question_of(parser.release());
        error_code unknown;
        question.peer = stream.socket().remote_endpoint(unknown).address().to_string();
        auto answered = answer(question);
        if (answered.later) {
            const auto later = std::move(answered.later); // what is awaited must not be assigned to
            answered = co_await later();
        }
        if (answered.stream && !head_only) {
            co_await send_stream(client, std::move(answered));
            co_return false;
        }
        const bool keep = keep_alive && answered.status < 400;
        co_return co_await reply(client, std::move(answered), keep, head_only);
    }

    asio::awaitable<bool> reply(connection& client, http_reply answered, bool keep, bool head_only)
    {
        http::response<http::string_body> response;
        set_fields(response, answered, keep);
        response.content_length(answered.body.size());
        if (!head_only)
            response.body() = std::move(answered.body);
        client.stream.expires_after(options.body_deadline);
        const auto [error, size] = co_await http::async_write(client.stream, response, as_result);
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
    std::size_t open = 0; ///< Of them, those that are not closed.
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
