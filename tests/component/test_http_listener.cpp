// SPDX-License-Identifier: Apache-2.0
#include "ops/http_listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace wxcourier::ops {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// A listener that answers with the method, the path and the body it understood; what it saw is counted.
class http_listener_test : public testing::Test {
protected:
    void start(listener_options options = {})
    {
        options.name = "test";
        listener = std::make_unique<http_listener>(loop.get_executor(), options, [this](const http_question& asked) {
            ++handled;
            return http_reply{200, "text/plain", asked.method + ' ' + asked.path + ' ' + asked.body};
        });
        const auto address = listener->address();
        port = static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
        asio::co_spawn(loop, listener->run(), [this](std::exception_ptr) { ended = true; });
        thread = std::thread([this] { loop.run(); });
    }
    void TearDown() override
    {
        if (!thread.joinable())
            return;
        asio::post(loop, [this] { listener->stop(); });
        thread.join();
        EXPECT_TRUE(ended);
    }
    tcp::socket connect()
    {
        tcp::socket socket(client);
        socket.connect({asio::ip::address_v4::loopback(), port});
        return socket;
    }
    static void send(tcp::socket& socket, const std::string& bytes)
    {
        boost::system::error_code closed_early;
        asio::write(socket, asio::buffer(bytes), closed_early);
    }
    /// Everything until the listener closes.
    static std::string rest_of(tcp::socket& socket)
    {
        std::string all;
        boost::system::error_code error;
        asio::read(socket, asio::dynamic_buffer(all), error);
        return all;
    }
    /// What comes back for bytes on a new connection, until it is closed.
    std::string exchange(const std::string& bytes)
    {
        auto socket = connect();
        send(socket, bytes);
        return rest_of(socket);
    }
    /// One answer, on a connection that stays open.
    static std::string answer(tcp::socket& socket)
    {
        std::string come;
        boost::system::error_code error;
        while (!error && !come.ends_with('$')) {
            char next = 0;
            asio::read(socket, asio::buffer(&next, 1), error);
            if (!error)
                come += next;
        }
        return come;
    }
    static std::size_t count_of(const std::string& what, const std::string& in)
    {
        std::size_t count = 0;
        for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1))
            ++count;
        return count;
    }

    asio::io_context loop;
    asio::io_context client;
    std::unique_ptr<http_listener> listener;
    unsigned short port = 0;
    std::thread thread;
    std::atomic<bool> ended = false;
    std::atomic<int> handled = 0;
};

struct trap {
    const char* name;
    std::string bytes;
    const char* status;
};

/// What one server reads as one request and another as two. Each is followed by a request that must not be answered.
const std::vector<trap> traps = {
    {"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"},
    {"length and chunked",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"chunked and length",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400"},
    {"gzip and length", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
     "411"},
    {"gzip alone", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "411"},
    {"identity", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", "411"},
    {"HTTP/1.0 with chunked", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "505"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "505"},
    {"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
    {"two equal lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"},
    {"a list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello", "400"},
    {"a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", "400"},
    {"a hexadecimal length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello", "400"},
    {"an empty length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\nhello", "400"},
    {"a folded field", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n", "400"},
    {"a folded length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 5\r\n\r\nhello", "400"},
    {"a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
    {"bare line feeds", "GET / HTTP/1.1\nHost: x\nX-A: b\r\n\r\n", "400"},
    {"a bare carriage return", "GET / HTTP/1.1\r\nHost: x\rX-A: b\r\n\r\n", "400"},
    {"a NUL", std::string("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", 29), "400"},
    {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
    {"no host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n", "400"},
    {"another server's address", "GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
    {"a tunnel", "CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
    {"a wish it has not", "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", "417"},
    {"a length beyond the limit", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", "413"},
    {"a length beyond 64 bits", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
    {"no HTTP", "\x16\x03\x01 hello\r\n\r\n", "400"},
};

TEST_F(http_listener_test, AnAmbiguousRequestIsRefusedAndNothingBehindItIsRead)
{
    start();
    for (const auto& each : traps) {
        SCOPED_TRACE(each.name);
        const auto come = exchange(each.bytes + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(come.substr(0, 12), std::string("HTTP/1.1 ") + each.status) << come;
        EXPECT_EQ(count_of("Content-Length: ", come), 1U) << come;
        EXPECT_NE(come.find("Connection: close"), std::string::npos) << come;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(http_listener_test, ABodyOfTheGivenLengthReachesTheHandlerWhole)
{
    listener_options options;
    options.longest_body = 10;
    start(options);
    auto socket = connect();
    send(socket, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nhel");
    send(socket, "lo$");
    EXPECT_TRUE(answer(socket).ends_with("PUT /a hello$"));
    send(socket, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$POST /c HTTP/1.1\r\nHost: x\r\n"
                 "Content-Length: 1\r\n\r\n$");
    EXPECT_TRUE(answer(socket).ends_with("POST /b $"));
    EXPECT_TRUE(answer(socket).ends_with("POST /c $")) << "two requests in one piece";
    send(socket, "POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    EXPECT_TRUE(rest_of(socket).starts_with("HTTP/1.1 413"));
    EXPECT_EQ(handled, 3);
}

TEST_F(http_listener_test, WhoAsksFirstIsToldToGoOn)
{
    start();
    auto socket = connect();
    send(socket, "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    std::string come(25, '\0');
    asio::read(socket, asio::buffer(come));
    EXPECT_EQ(come, "HTTP/1.1 100 Continue\r\n\r\n");
    send(socket, "b$");
    EXPECT_TRUE(answer(socket).ends_with("POST /a b$"));
}

TEST_F(http_listener_test, AHeadRequestGetsNoBody)
{
    start();
    const auto come = exchange("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(come.find("Content-Length: 8"), std::string::npos) << come;
    EXPECT_TRUE(come.ends_with("\r\n\r\n"));
}

TEST_F(http_listener_test, AHeaderTooLargeIsRefused)
{
    start();
    const auto come = exchange("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(9'000, 'a') + "\r\n\r\n");
    EXPECT_TRUE(come.empty() || come.starts_with("HTTP/1.1 431")) << come; // empty: reset, for bytes it did not read
    EXPECT_EQ(handled, 0);
}

TEST_F(http_listener_test, AHeaderThatTricklesInIsCutOffInTime)
{
    listener_options options;
    options.header_deadline = 300ms;
    start(options);
    auto socket = connect();
    const auto began = steady_clock::now();
    boost::system::error_code error;
    const std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(400, 'a');
    for (std::size_t i = 0; i < bytes.size() && !error; ++i) { // each byte well within the limit
        asio::write(socket, asio::buffer(&bytes[i], 1), error);
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_TRUE(error) << "it was never cut off";
    EXPECT_LT(steady_clock::now() - began, 5s);
    EXPECT_EQ(handled, 0);
}

TEST_F(http_listener_test, ABodyThatTricklesInIsCutOffInTime)
{
    listener_options options;
    options.body_deadline = 300ms;
    start(options);
    auto socket = connect();
    send(socket, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n");
    boost::system::error_code error;
    for (int i = 0; i < 399 && !error; ++i) {
        asio::write(socket, asio::buffer("a", 1), error);
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_TRUE(error) << "it was never cut off";
    EXPECT_EQ(handled, 0);
}

TEST_F(http_listener_test, AnIdleConnectionIsKeptForAWhileOnly)
{
    listener_options options;
    options.header_deadline = 100ms;
    options.idle_deadline = 1'000ms;
    start(options);
    auto socket = connect();
    send(socket, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    answer(socket);
    std::this_thread::sleep_for(300ms); // longer than a header may take
    send(socket, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    EXPECT_TRUE(answer(socket).ends_with("POST /b $"));
    EXPECT_EQ(rest_of(socket), "") << "closed in the end";
}

TEST_F(http_listener_test, AConnectionServesSoManyRequestsAndNoMore)
{
    listener_options options;
    options.most_requests = 2;
    start(options);
    const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(count_of("HTTP/1.1 200", exchange(get + get + get)), 2U);
}

TEST_F(http_listener_test, SomebodyNewTakesThePlaceOfWhoKeptItWaitingLongest)
{
    listener_options options;
    options.most_connections = 3;
    start(options);
    auto prober = connect(); // the oldest, but it has just been answered
    auto half = connect();
    send(half, "GET /");
    auto idle = connect();
    send(idle, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    answer(idle);
    send(prober, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    answer(prober);
    auto fresh = connect();
    send(fresh, "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    EXPECT_TRUE(answer(fresh).ends_with("POST /c $"));
    EXPECT_EQ(rest_of(half), "") << "it was cut off";
    send(prober, "POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n$");
    EXPECT_TRUE(answer(prober).ends_with("POST /d $")) << "and not the one that asks";
}

/// Five thousand at once, each with half a header; those that are cut off come back, some hundreds a second.
TEST_F(http_listener_test, FiveThousandHalfRequestsKeepNoProbeOut)
{
    constexpr std::size_t many = 5'000;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < many + 1'000)
        GTEST_SKIP() << "this machine allows " << limit.rlim_max << " descriptors";
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    start();
    std::atomic<bool> enough = false;
    std::atomic<std::size_t> opened = 0;
    std::thread crowd([&] {
        asio::io_context io;
        std::vector<std::unique_ptr<tcp::socket>> sockets(many);
        while (!enough) {
            for (auto& each : sockets) {
                if (enough)
                    break;
                boost::system::error_code error;
                char byte = 0;
                if (each) {
                    each->read_some(asio::buffer(&byte, 1), error);
                    if (error == asio::error::would_block)
                        continue;
                }
                each = std::make_unique<tcp::socket>(io);
                each->connect({asio::ip::address_v4::loopback(), port}, error);
                if (error)
                    continue;
                asio::write(*each, asio::buffer("GET /livez HTTP/1.1\r\nHo", 23), error);
                each->non_blocking(true, error);
                if (++opened > many)
                    std::this_thread::sleep_for(1ms);
            }
        }
    });
    while (opened < many)
        std::this_thread::sleep_for(10ms);
    std::vector<double> took;
    for (int i = 0; i < 300; ++i) {
        const auto began = steady_clock::now();
        const auto come = exchange("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        ASSERT_TRUE(come.starts_with("HTTP/1.1 200")) << i << ": " << come;
        took.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - began).count());
        std::this_thread::sleep_for(5ms);
    }
    enough = true;
    crowd.join();
    std::sort(took.begin(), took.end());
    std::cout << "of " << took.size() << " probes: p50 " << took[took.size() / 2] << " ms, p99 "
              << took[took.size() * 99 / 100] << " ms; " << opened << " half requests\n";
    EXPECT_LT(took[took.size() / 2], 50);
    EXPECT_LT(took[took.size() * 95 / 100], 500) << "a busy machine; the system tests look closer";
}

} // namespace
} // namespace wxcourier::ops
