// SPDX-License-Identifier: Apache-2.0
// The simulator on real sockets: what a client sees byte by byte.
#include "simulator/server.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace wxcourier::simulator {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// The rest of what the other side sends, and how it ended.
struct received_bytes {
    std::string text;
    error_code end;
};

template <class Stream>
received_bytes read_to_end(Stream& stream)
{
    received_bytes found;
    asio::read(stream, asio::dynamic_buffer(found.text), found.end);
    return found;
}

/// One whole response with a Content-Length.
template <class Stream>
std::string read_response(Stream& stream, std::string& rest)
{
    const std::size_t head = asio::read_until(stream, asio::dynamic_buffer(rest), "\r\n\r\n");
    const auto field = rest.find("Content-Length: ");
    const std::size_t body = field < head ? std::stoul(rest.substr(field + 16)) : 0;
    if (rest.size() < head + body) {
        asio::read(stream, asio::dynamic_buffer(rest), asio::transfer_exactly(head + body - rest.size()));
    }
    std::string response = rest.substr(0, head + body);
    rest.erase(0, head + body);
    return response;
}

std::string post(const std::string& target, const std::string& body, const std::string& fields = {})
{
    return "POST " + target + " HTTP/1.1\r\nHost: api\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

class simulator_server_test : public testing::Test {
protected:
    using tls_stream = asio::ssl::stream<tcp::socket>;

    void start(bool plain = false, settings rules = {})
    {
        server_options options;
        options.rules = std::move(rules);
        options.port = 0;
        options.plain = plain;
        server_ = std::make_unique<server>(server_loop_.get_executor(), std::move(options));
        server_->start();
        trust_.set_verify_mode(asio::ssl::verify_peer);
        if (!plain) {
            trust_.add_certificate_authority(asio::buffer(server_->ca_pem()));
        }
        run();
    }
    void run()
    {
        thread_ = std::thread([this] { server_loop_.run(); });
    }
    /// Ends the server and waits until its loop has nothing left to do.
    void stop()
    {
        asio::post(server_loop_, [this] { server_->stop(); });
        thread_.join();
    }
    void TearDown() override
    {
        if (thread_.joinable()) {
            stop();
        }
    }
    template <class Question>
    auto on_loop(Question question)
    {
        std::packaged_task<decltype(question())()> task(std::move(question));
        auto answer = task.get_future();
        asio::post(server_loop_, [&task] { task(); });
        return answer.get();
    }
    /// Waits for what happens on the server's side a moment later.
    template <class Condition>
    bool soon(Condition condition)
    {
        const auto limit = steady_clock::now() + seconds{10};
        while (steady_clock::now() < limit) {
            if (on_loop(condition)) {
                return true;
            }
            std::this_thread::yield();
        }
        return false;
    }

    tcp::socket connect_plain()
    {
        tcp::socket socket(client_loop_);
        socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
        return socket;
    }
    tls_stream connect()
    {
        tls_stream stream(connect_plain(), trust_);
        stream.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
        stream.handshake(asio::ssl::stream_base::client);
        return stream;
    }
    std::string send_target()
    {
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        const auto issued = on_loop([&] { return server_->state().tokens().issue_classic("wx1", now); });
        return "/cgi-bin/message/template/send?access_token=" + issued.token;
    }
    static std::string message_to(const std::string& touser)
    {
        return R"({"touser":")" + touser + R"(","template_id":"t","data":{}})";
    }
    /// Sends one message on a connection of its own and reads until that ends.
    received_bytes send_alone(const std::string& touser)
    {
        auto stream = connect();
        asio::write(stream, asio::buffer(post(send_target(), message_to(touser))));
        return read_to_end(stream);
    }

    asio::io_context server_loop_{1};
    asio::io_context client_loop_{1};
    asio::ssl::context trust_{asio::ssl::context::tls_client};
    std::unique_ptr<server> server_;
    std::thread thread_;
    std::string rest_;
};

TEST_F(simulator_server_test, one_connection_carries_many_requests)
{
    start();
    auto stream = connect();
    const std::string target = send_target();
    for (int i = 0; i < 3; ++i) {
        asio::write(stream, asio::buffer(post(target, message_to("o1"))));
        const std::string response = read_response(stream, rest_);
        EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n")) << response;
        EXPECT_NE(response.find(R"({"errcode":0,"errmsg":"ok","msgid":37)"), std::string::npos) << response;
    }
    EXPECT_EQ(on_loop([&] { return server_->state().counters().connections(); }), 1U);
}

TEST_F(simulator_server_test, requests_may_come_before_the_answers)
{
    start();
    auto stream = connect();
    const std::string target = send_target();
    asio::write(stream, asio::buffer(post(target, message_to("o1")) + post(target, message_to("sim-errcode-43004-a"))));
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":0)"), std::string::npos);
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":43004)"), std::string::npos);
}

TEST_F(simulator_server_test, a_request_may_come_byte_by_byte)
{
    start(true);
    auto socket = connect_plain();
    socket.set_option(tcp::no_delay(true));
    for (const char byte : post(send_target(), message_to("o1"))) {
        asio::write(socket, asio::buffer(&byte, 1));
    }
    EXPECT_NE(read_response(socket, rest_).find(R"("errcode":0)"), std::string::npos);
}

TEST_F(simulator_server_test, a_client_that_does_not_trust_its_authority_refuses_it)
{
    start();
    asio::ssl::context wary(asio::ssl::context::tls_client);
    wary.set_verify_mode(asio::ssl::verify_peer);
    tls_stream stream(connect_plain(), wary);
    error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    EXPECT_TRUE(error);
}

TEST_F(simulator_server_test, chunked_bodies_are_412_and_end_the_connection)
{
    start();
    auto stream = connect();
    asio::write(stream, asio::buffer("POST " + send_target() +
                                     " HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "2\r\n{}\r\n0\r\n\r\n"));
    const auto answer = read_to_end(stream);
    EXPECT_TRUE(answer.text.starts_with("HTTP/1.1 412 Precondition Failed\r\nConnection: close\r\n")) << answer.text;
    EXPECT_EQ(answer.end, asio::error::eof);
}

TEST_F(simulator_server_test, framing_that_parsers_disagree_on_is_400)
{
    start(true);
    const std::string target = send_target();
    const std::string start_line = "POST " + target + " HTTP/1.1\r\n";
    for (const std::string& request :
         {start_line + "Host: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
          start_line + "Host: a\r\nContent-Length: 2, 2\r\n\r\n{}", start_line + "Content-Length: 2\r\n\r\n{}",
          start_line + "Host: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
          "POST " + target + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
          start_line + "Host: a\r\nContent-Length: 99999999\r\n\r\n{}", std::string("nonsense\r\n\r\n")})
    {
        auto socket = connect_plain();
        asio::write(socket, asio::buffer(request));
        socket.shutdown(tcp::socket::shutdown_send);
        EXPECT_TRUE(read_to_end(socket).text.starts_with("HTTP/1.1 400 Bad Request\r\n")) << request;
    }
}

TEST_F(simulator_server_test, a_client_that_waits_for_leave_to_continue_gets_it)
{
    start();
    auto stream = connect();
    const std::string body = message_to("o1");
    const std::string request = post(send_target(), body, "Expect: 100-continue\r\n");
    asio::write(stream, asio::buffer(request.substr(0, request.size() - body.size())));
    EXPECT_EQ(read_response(stream, rest_), "HTTP/1.1 100 Continue\r\n\r\n");
    asio::write(stream, asio::buffer(body));
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":0)"), std::string::npos);
}

TEST_F(simulator_server_test, a_reset_comes_after_exactly_the_bytes_asked_for)
{
    start();
    for (const std::size_t bytes : {0U, 1U, 40U}) {
        const auto answer = send_alone("sim-reset-" + std::to_string(bytes) + "-a");
        EXPECT_EQ(answer.text.size(), bytes);
        EXPECT_EQ(answer.end, asio::error::connection_reset) << answer.end.message();
    }
    EXPECT_EQ(on_loop([&] { return server_->state().counters().shown(); }), 3U) << "the messages went through";
}

TEST_F(simulator_server_test, a_truncated_body_ends_in_good_order_and_too_early)
{
    start();
    const auto answer = send_alone("sim-truncate-a");
    EXPECT_EQ(answer.end, asio::error::eof) << answer.end.message();
    const auto field = answer.text.find("Content-Length: ");
    ASSERT_NE(field, std::string::npos);
    const std::size_t announced = std::stoul(answer.text.substr(field + 16));
    const std::size_t came = answer.text.size() - answer.text.find("\r\n\r\n") - 4;
    EXPECT_EQ(came, announced / 2);
}

TEST_F(simulator_server_test, a_dripping_answer_is_whole_in_the_end_and_its_connection_goes_on)
{
    start();
    auto stream = connect();
    const std::string target = send_target();
    asio::write(stream, asio::buffer(post(target, message_to("sim-drip-1ms-a"))));
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":0)"), std::string::npos);
    asio::write(stream, asio::buffer(post(target, message_to("o1"))));
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":0)"), std::string::npos);
}

TEST_F(simulator_server_test, a_stalled_answer_lasts_until_the_client_gives_up)
{
    start(true);
    {
        auto socket = connect_plain();
        asio::write(socket, asio::buffer(post(send_target(), message_to("sim-stall-a"))));
        EXPECT_TRUE(soon([&] { return server_->state().counters().requests() == 1; }));
        EXPECT_EQ(on_loop([&] { return server_->state().counters().in_flight(); }), 1U);
        EXPECT_EQ(socket.available(), 0U) << "not a byte";
    }
    EXPECT_TRUE(soon([&] { return server_->state().counters().open_connections() == 0; }));
    EXPECT_EQ(on_loop([&] { return server_->state().counters().in_flight(); }), 0U);
}

TEST_F(simulator_server_test, stopping_leaves_nothing_behind_whatever_goes_on)
{
    settings rules;
    rules.latency = std::chrono::hours{1};
    start(false, rules);
    auto idle = connect();
    auto waiting = connect();
    asio::write(waiting, asio::buffer(post(send_target(), message_to("o1"))));
    auto stalled = connect();
    on_loop([&] {
        server_->state().rules().latency = milliseconds{0};
        return 0;
    });
    const bool first_came = soon([&] { return server_->state().counters().requests() == 1; });
    EXPECT_TRUE(first_came);
    asio::write(stalled, asio::buffer(post(send_target(), message_to("sim-stall-a"))));
    EXPECT_TRUE(soon([&] { return server_->state().counters().in_flight() == 2; }));
    stop(); // Returns only when the loop has run out of work.
    EXPECT_EQ(server_->state().counters().open_connections(), 0U);
}

TEST_F(simulator_server_test, it_listens_again_on_the_same_port_with_the_same_authority)
{
    start();
    const std::string url = server_->url();
    EXPECT_TRUE(url.starts_with("https://127.0.0.1:")) << url;
    const std::string target = send_target();
    stop();
    error_code refused;
    tcp::socket socket(client_loop_);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()}, refused);
    EXPECT_EQ(refused, asio::error::connection_refused);
    server_loop_.restart();
    server_->start();
    run();
    EXPECT_EQ(server_->url(), url);
    auto stream = connect();
    asio::write(stream, asio::buffer(post(target, message_to("o1"))));
    EXPECT_NE(read_response(stream, rest_).find(R"("errcode":0)"), std::string::npos) << "tokens outlive it";
}

TEST_F(simulator_server_test, old_clients_get_their_connection_closed)
{
    start(true);
    auto socket = connect_plain();
    asio::write(socket, asio::buffer("GET /cgi-bin/getcallbackip HTTP/1.0\r\n\r\n"));
    const auto answer = read_to_end(socket);
    EXPECT_NE(answer.text.find("Connection: close"), std::string::npos);
    EXPECT_EQ(answer.end, asio::error::eof);
}

} // namespace
} // namespace wxcourier::simulator
