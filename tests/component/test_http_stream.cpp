// SPDX-License-Identifier: Apache-2.0
#include "ops/http_listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace wxcourier::ops {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// A listener whose /stream gives what `next` gives.
class http_stream_test : public testing::Test {
protected:
    void start(std::function<std::optional<std::string>()> next, milliseconds deadline)
    {
        listener_options options;
        options.name = "test";
        options.body_deadline = deadline;
        listener = std::make_unique<http_listener>(loop.get_executor(), options, [next](const http_question&) {
            http_reply reply;
            reply.content_type = "text/event-stream";
            reply.stream = next;
            reply.stream_interval = 1ms;
            return reply;
        });
        address = listener->address();
        asio::co_spawn(loop, listener->run(), [this](std::exception_ptr) { ended = true; });
        thread = std::thread([this] { loop.run(); });
    }
    tcp::socket connect()
    {
        tcp::socket socket(client);
        const auto port = static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
        socket.open(tcp::v4());
        socket.set_option(asio::socket_base::receive_buffer_size(16 * 1024));
        socket.connect({asio::ip::address_v4::loopback(), port});
        asio::write(socket, asio::buffer(std::string("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")));
        return socket;
    }
    void TearDown() override
    {
        asio::post(loop, [this] { listener->stop(); });
        thread.join();
        EXPECT_TRUE(ended);
    }

    asio::io_context loop;
    asio::io_context client;
    std::unique_ptr<http_listener> listener;
    std::string address;
    std::thread thread;
    std::atomic<bool> ended = false;
};

TEST_F(http_stream_test, PiecesComeInOrderAndTheirEndIsTheConnections)
{
    int count = 0;
    start(
        [count]() mutable -> std::optional<std::string> {
            ++count;
            if (count == 2)
                return "";
            return count > 4 ? std::nullopt : std::optional("piece " + std::to_string(count) + '\n');
        },
        5s);
    auto socket = connect();
    std::string all;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(all), error);
    EXPECT_EQ(error, asio::error::eof);
    EXPECT_NE(all.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_EQ(all.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(all.ends_with("\r\n\r\npiece 1\npiece 3\npiece 4\n")) << all;
}

TEST_F(http_stream_test, ASlowClientGetsFewerPiecesAndOneThatStopsIsLetGo)
{
    std::atomic<int> asked = 0;
    start(
        [&asked]() -> std::optional<std::string> {
            ++asked;
            return std::string(64 * 1024, 'x');
        },
        300ms);
    auto socket = connect();
    // It reads nothing. What is under way is bounded by the sockets' buffers, not by time.
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    std::size_t received = 0;
    int asked_then = -1;
    while (asked_then != asked && std::chrono::steady_clock::now() < deadline) { // until it is asked no more
        asked_then = asked;
        std::this_thread::sleep_for(500ms);
    }
    boost::system::error_code error;
    std::string buffer(256 * 1024, '\0');
    while (!error && std::chrono::steady_clock::now() < deadline)
        received += socket.read_some(asio::buffer(buffer), error);
    EXPECT_TRUE(error) << "the connection was closed";
    EXPECT_LE(asked_then, 20);
    EXPECT_EQ(asked, asked_then);
    EXPECT_LT(received, 64U * 1024U * 20U);
}

} // namespace
} // namespace wxcourier::ops
