// SPDX-License-Identifier: Apache-2.0
// What one push costs the loop's thread (the CPU column), from send() to the reply; beside it the same bytes through
// bare OpenSSL or sockets, the share that no client can avoid.
#include "tests/support/scripted_tls_server.hpp"
#include "wechat/push_client.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <string>

namespace wxcourier {
namespace {

namespace asio = boost::asio;

const std::string& answer_text()
{
    static const std::string text =
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json; "
        "encoding=utf-8\r\nDate: Sun, 22 Nov 2026 08:15:30 GMT\r\nContent-Length: 44\r\n\r\n"
        R"({"errcode":0,"errmsg":"ok","msgid":20022833})";
    return text;
}

const std::string& body()
{
    static const std::string text = R"({"touser":"oA1b2C3d4E5f6G7h8I9j0K1l2M3n","template_id":")" +
                                    std::string(43, 't') + R"(","data":{"thing1":{"value":")" + std::string(300, 'v') +
                                    R"("}}})";
    return text;
}

test::scripted_server::options how(bool tls, const test::test_authority& authority)
{
    test::scripted_server::options options;
    if (tls) {
        options.identity = authority.issue();
    }
    return options;
}

void answer_all(test::scripted_connection& connection)
{
    while (!connection.read_request().empty() && connection.write(answer_text())) {
    }
}

asio::awaitable<void> push_times(wechat::push_client& client, std::size_t times, std::size_t& accepted)
{
    static const domain::kind_rule kind = [] {
        domain::kind_rule made{};
        made.path = "/cgi-bin/message/template/send";
        return made;
    }();
    static const std::string token(136, 'k');
    engine::push_request request;
    request.kind = &kind;
    request.body = body();
    request.token = token;
    for (std::size_t time = 0; time < times; ++time) {
        const domain::push_reply reply = co_await client.send(request);
        accepted += reply.errcode == 0 ? 1 : 0;
    }
}

/// `range(0)`: 1 with TLS; `range(1)`: pushes in flight.
void push(benchmark::State& state)
{
    const test::test_authority authority;
    const test::scripted_server server(how(state.range(0) != 0, authority), &answer_all);
    asio::io_context io{1};
    wechat::client_settings settings;
    settings.base_urls = {server.url()};
    settings.ca_file = authority.file();
    wechat::transport transport(io, settings);
    wechat::push_client client(transport);
    constexpr std::size_t each = 64;
    const auto in_flight = static_cast<std::size_t>(state.range(1));
    std::size_t accepted = 0;
    for ([[maybe_unused]] auto _ : state) {
        std::size_t left = in_flight;
        for (std::size_t number = 0; number < in_flight; ++number) {
            asio::co_spawn(io, push_times(client, each, accepted), [&left](std::exception_ptr) { --left; });
        }
        io.restart();
        while (left > 0) {
            io.run_one();
        }
    }
    const auto pushes = state.iterations() * each * in_flight;
    if (accepted != pushes) {
        state.SkipWithError("a push failed");
    }
    state.counters["cpu_per_push"] =
        benchmark::Counter(static_cast<double>(pushes), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(push)->ArgNames({"tls", "in_flight"})->ArgsProduct({{0, 1}, {1, 32}});

/// The same bytes with blocking calls.
void bare(benchmark::State& state)
{
    const bool tls = state.range(0) != 0;
    const test::test_authority authority;
    const test::scripted_server server(how(tls, authority), &answer_all);
    asio::io_context io{1};
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::make_address("127.0.0.1"), server.port()});
    socket.set_option(asio::ip::tcp::no_delay(true));
    asio::ssl::context context = wechat::make_client_context(authority.file());
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.native_handle()), &SSL_free);
    if (tls) {
        SSL_set_fd(ssl.get(), socket.native_handle());
        if (SSL_connect(ssl.get()) != 1) {
            state.SkipWithError("no TLS");
        }
    }
    const std::string request = "POST /cgi-bin/message/template/send?access_token=" + std::string(136, 'k') +
                                " HTTP/1.1\r\nHost: 127.0.0.1:12345\r\nUser-Agent: wxcourier/0.1.0\r\nContent-Type: "
                                "application/json\r\nContent-Length: " +
                                std::to_string(body().size()) + "\r\n\r\n" + body();
    std::array<char, 4096> received{};
    for ([[maybe_unused]] auto _ : state) {
        if (tls) {
            SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
            benchmark::DoNotOptimize(SSL_read(ssl.get(), received.data(), static_cast<int>(received.size())));
        } else {
            asio::write(socket, asio::buffer(request));
            benchmark::DoNotOptimize(socket.read_some(asio::buffer(received)));
        }
    }
    SSL_set_quiet_shutdown(ssl.get(), 1);
}
BENCHMARK(bare)->ArgNames({"tls"})->Arg(0)->Arg(1);

} // namespace
} // namespace wxcourier
