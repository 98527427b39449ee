// SPDX-License-Identifier: Apache-2.0
// What the client makes of a far end or a network that fails: whether WeChat can have the message must never be wrong.
#include "tests/support/wechat_client_fixture.hpp"

#include <atomic>
#include <tuple>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wxcourier::test {
namespace {

using domain::reach;
using domain::transport_failure;

class wechat_faults : public wechat_client_test {
public:
    /// One push to a server with this script.
    domain::push_reply push_to(const scripted_server::script& what, bool over_tls = true)
    {
        const scripted_server server(over_tls ? tls() : scripted_server::options{}, what);
        connect_to({server.url()});
        domain::push_reply reply = push();
        client->stop();
        return reply;
    }
};

struct encoding {
    const char* name;
    std::string text;
};

const std::vector<encoding>& encodings()
{
    static const std::vector<encoding> all{
        {"length", answer(accepted_body)},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + accepted_body.substr(0, 20) +
                        "\r\n19\r\n" + accepted_body.substr(20) + "\r\n0\r\n\r\n"},
        {"interim", "HTTP/1.1 100 Continue\r\n\r\n" + answer(accepted_body)},
    };
    return all;
}

TEST_F(wechat_faults, an_answer_cut_at_any_byte_is_unknown_and_a_whole_one_is_known)
{
    for (const encoding& each : encodings()) {
        for (const bool over_tls : {false, true}) {
            for (const bool reset : {false, true}) {
                scripted_server::options how = over_tls ? tls() : scripted_server::options{};
                const scripted_server server(how, [&each, reset](scripted_connection& connection) {
                    connection.read_request();
                    connection.write(std::string_view(each.text).substr(0, connection.number()));
                    reset ? connection.reset() : connection.close();
                });
                connect_to({server.url()});
                for (std::size_t cut = 0; cut <= each.text.size(); ++cut) {
                    const domain::push_reply reply = push();
                    const bool whole = cut == each.text.size();
                    ASSERT_EQ(reply.reach, whole ? reach::answered : reach::unknown) << each.name << ' ' << cut;
                    ASSERT_EQ(reply.failure, whole ? transport_failure::none : transport_failure::reset)
                        << each.name << ' ' << cut;
                    ASSERT_EQ(reply.errcode, whole ? std::optional<int>(0) : std::nullopt);
                    ASSERT_EQ(reply.http_status, whole ? 200 : 0);
                }
                EXPECT_EQ(server.accepted(), each.text.size() + 1) << "a request was repeated";
            }
        }
    }
}

TEST_F(wechat_faults, an_answer_may_come_byte_by_byte)
{
    for (const encoding& each : encodings()) {
        const domain::push_reply reply = push_to([&each](scripted_connection& connection) {
            connection.read_request();
            for (const char letter : each.text) {
                connection.write({&letter, 1});
            }
            connection.wait_closed();
        });
        EXPECT_EQ(reply.errcode, 0) << each.name;
        EXPECT_EQ(reply.msgid, "200228332");
    }
}

TEST_F(wechat_faults, a_handshake_reset_at_any_byte_means_not_sent)
{
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        scripted_server::options how = tls();
        how.highest_version = version;
        how.tickets = false; // They would follow the handshake and blur its end.
        how.handshake_limit = 0;
        how.limit_grows = true;
        const scripted_server server(how, answer_always(answer(accepted_body)));
        connect_to({server.url()});
        std::size_t failures = 0;
        domain::push_reply reply = push();
        while (reply.reach == reach::not_sent && failures < 10'000) {
            ASSERT_EQ(reply.failure, transport_failure::tls) << failures << ' ' << reply.errmsg;
            ++failures;
            reply = push();
        }
        EXPECT_EQ(reply.errcode, 0) << reply.errmsg;
        EXPECT_GT(failures, 400U);
        EXPECT_EQ(server.accepted(), failures + 1);
        EXPECT_EQ(client->counters().tls_failed, failures);
    }
}

TEST_F(wechat_faults, what_is_no_complete_readable_answer_is_unknown)
{
    struct row {
        const char* name;
        std::string text;
    };
    for (const row& each : {
             row{"HTML", answer("<html><body>Welcome</body></html>")},
             row{"empty body", answer("")},
             row{"no errcode", answer("{}")},
             row{"cut JSON", answer(R"({"errcode":0,"errm)")},
             row{"body ended by closing", "HTTP/1.1 200 OK\r\n\r\n" + accepted_body},
             row{"body too long", answer(std::string(70'000, ' ') + accepted_body)},
             row{"head too long", answer(accepted_body, "200 OK", "X: " + std::string(9'000, 'x') + "\r\n")},
             row{"two lengths", answer(accepted_body, "200 OK", "Content-Length: 3\r\n")},
             row{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
             row{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"},
             row{"only interim answers",
                 [] {
                     std::string many;
                     for (int number = 0; number < 20; ++number) {
                         many += "HTTP/1.1 100 Continue\r\n\r\n";
                     }
                     return many;
                 }()},
         })
    {
        for (const bool over_tls : {false, true}) {
            const domain::push_reply reply = push_to(
                [&each](scripted_connection& connection) {
                    connection.read_request();
                    connection.write(each.text);
                    connection.wait_closed(seconds(5));
                },
                over_tls);
            EXPECT_EQ(reply.reach, reach::unknown) << each.name;
            EXPECT_EQ(reply.failure, transport_failure::bad_answer) << each.name << ": " << reply.errmsg;
            EXPECT_FALSE(reply.errcode) << each.name;
        }
    }
}

TEST_F(wechat_faults, another_http_status_is_an_answer)
{
    struct row {
        std::string status;
        std::string headers;
        int expected;
        std::optional<seconds> retry_after = {};
    };
    for (const row& each : {
             row{"500 Internal Server Error", "", 500},
             row{"502 Bad Gateway", "Retry-After: 9\r\n", 502},
             row{"503 Service Unavailable", "Retry-After: 9\r\n", 503, seconds(9)},
             row{"429 Too Many Requests", "Retry-After: 120\r\n", 429, seconds(120)},
             row{"429 Too Many Requests", "Retry-After: soon\r\n", 429},
             row{"412 Precondition Failed", "", 412},
             row{"403 Forbidden", "", 403},
         })
    {
        const domain::push_reply reply = push_to(answer_always(answer(accepted_body, each.status, each.headers)));
        EXPECT_EQ(reply.reach, reach::answered);
        EXPECT_EQ(reply.failure, transport_failure::none);
        EXPECT_EQ(reply.http_status, each.expected);
        EXPECT_FALSE(reply.errcode);
        EXPECT_EQ(reply.errmsg, "HTTP " + std::to_string(each.expected));
        EXPECT_EQ(reply.retry_after, each.retry_after);
    }
    const domain::push_reply empty = push_to(answer_always("HTTP/1.1 204 No Content\r\n\r\n"));
    EXPECT_EQ(empty.http_status, 204);
}

TEST_F(wechat_faults, a_redirect_is_not_followed)
{
    const scripted_server elsewhere(tls(), answer_always(answer(accepted_body)));
    const domain::push_reply reply =
        push_to(answer_always(answer("", "302 Found", "Location: " + elsewhere.url() + "\r\n")));
    EXPECT_EQ(reply.reach, reach::answered);
    EXPECT_EQ(reply.http_status, 302);
    EXPECT_EQ(elsewhere.accepted(), 0U);
}

TEST_F(wechat_faults, a_stalled_or_dripping_answer_ends_at_the_request_timeout)
{
    settings.request_timeout = milliseconds(150);
    const std::string text = answer(accepted_body);
    for (const std::size_t stall_at : {std::size_t{0}, std::size_t{1}, text.size() - 1}) {
        const domain::push_reply reply = push_to([&](scripted_connection& connection) {
            connection.read_request();
            connection.write(text.substr(0, stall_at));
            connection.wait_closed();
        });
        EXPECT_EQ(reply.reach, reach::unknown);
        EXPECT_EQ(reply.failure, transport_failure::timeout);
        EXPECT_GE(reply.latency, milliseconds(140));
        EXPECT_LT(reply.latency, seconds(10));
    }
    const domain::push_reply reply = push_to([](scripted_connection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nX: ");
        while (!connection.wait_closed(milliseconds(5)) && connection.write("x")) {
        }
    });
    EXPECT_EQ(reply.reach, reach::unknown);
    EXPECT_EQ(reply.failure, transport_failure::timeout);
    EXPECT_LT(reply.latency, seconds(10));
}

TEST_F(wechat_faults, a_request_that_the_server_does_not_take_is_unknown_once_a_byte_was_taken)
{
    settings.request_timeout = milliseconds(200);
    // Nobody reads: the kernels' buffers fill up.
    std::atomic<bool> ended{false};
    const scripted_server server(tls(), [&ended](scripted_connection&) { ended.wait(false); });
    connect_to({server.url()});
    const domain::push_reply reply = push(std::string(std::size_t{30} << 20U, 'x'));
    ended = true;
    ended.notify_all();
    EXPECT_EQ(reply.reach, reach::unknown);
    EXPECT_EQ(reply.failure, transport_failure::timeout);
}

TEST_F(wechat_faults, a_stalled_handshake_ends_at_the_connect_timeout)
{
    settings.connect_timeout = milliseconds(150);
    scripted_server::options how = tls();
    how.skip_handshake = true;
    const scripted_server server(how, [](scripted_connection& connection) { connection.wait_closed(); });
    connect_to({server.url()});
    const domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::tls);
    EXPECT_GE(reply.latency, milliseconds(140));
    EXPECT_LT(reply.latency, seconds(10));
}

/// A port whose connections are neither taken nor refused: its queue is full.
class deaf_port {
public:
    deaf_port()
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        std::ignore = ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
        ::listen(listener_, 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
        for (int& each : fillers_) {
            each = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            std::ignore = ::connect(each, reinterpret_cast<sockaddr*>(&address), length);
        }
    }
    deaf_port(const deaf_port&) = delete;
    deaf_port& operator=(const deaf_port&) = delete;
    ~deaf_port()
    {
        for (const int each : fillers_) {
            ::close(each);
        }
        ::close(listener_);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::array<int, 4> fillers_{};
};

TEST_F(wechat_faults, an_unanswered_connect_ends_at_the_connect_timeout)
{
    const deaf_port deaf;
    settings.connect_timeout = milliseconds(150);
    connect_to({"https://127.0.0.1:" + std::to_string(deaf.port())});
    const domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::connect);
    EXPECT_GE(reply.latency, milliseconds(140));
    EXPECT_LT(reply.latency, seconds(10));
}

TEST_F(wechat_faults, a_deaf_address_costs_its_share_of_time_and_the_next_one_is_tried)
{
    const deaf_port deaf;
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    asio::ssl::context context = wechat::make_client_context(authority().file());
    wechat::tls_session session;
    const wechat::base_url url = wechat::parse_base_url("https://127.0.0.1");
    wechat::socket_poller poller(io);
    wechat::https_connection connection(poller, url, context, session);
    const asio::ip::address loopback = asio::ip::make_address("127.0.0.1");
    const asio::ip::tcp::endpoint refused(asio::ip::make_address("::1"), server.port());
    const wechat::address_list addresses{{loopback, deaf.port()}, refused, {loopback, server.port()}};
    const auto outcome = run(connection.connect(addresses, steady_clock::now() + seconds(20), milliseconds(50)));
    EXPECT_EQ(outcome.failure, transport_failure::none) << outcome.error;
    ASSERT_EQ(outcome.failed.size(), 2U);
    EXPECT_EQ(outcome.failed[0].port(), deaf.port());
    EXPECT_TRUE(connection.is_clean());
}

TEST_F(wechat_faults, cancelling_a_request_ends_it_at_once_and_closes_the_connection)
{
    std::atomic<bool> closed{false};
    const scripted_server server(tls(), [&](scripted_connection& connection) {
        connection.read_request();
        cancel_from_elsewhere();
        closed = connection.wait_closed(seconds(30));
        closed.notify_all();
    });
    connect_to({server.url()});
    const domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::unknown);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
    EXPECT_EQ(client->counters().busy, 0U);
    EXPECT_EQ(client->counters().idle, 0U);
    closed.wait(false);
}

TEST_F(wechat_faults, cancelling_while_connecting_means_not_sent)
{
    scripted_server::options how = tls();
    how.skip_handshake = true;
    const scripted_server server(how, [this](scripted_connection& connection) {
        cancel_from_elsewhere();
        connection.wait_closed();
    });
    connect_to({server.url()});
    domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);

    const deaf_port deaf;
    connect_to({"https://127.0.0.1:" + std::to_string(deaf.port())});
    cancel_after_steps = 0;
    reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
}

TEST_F(wechat_faults, cancelling_while_waiting_for_a_connection_means_not_sent)
{
    settings.max_connections = 0;
    connect_to({"https://127.0.0.1:1"});
    cancel_after_steps = 0;
    const domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
}

TEST_F(wechat_faults, cancelling_at_any_step_ends_the_request_and_never_calls_a_read_one_unsent)
{
    bool answered = false;
    for (std::size_t steps = 0; !answered; ++steps) {
        ASSERT_LT(steps, 1'000U);
        std::atomic<std::size_t> requests{0};
        domain::push_reply reply;
        {
            const scripted_server server(tls(), [&requests](scripted_connection& connection) {
                while (!connection.read_request().empty()) {
                    ++requests;
                    connection.write(answer(accepted_body));
                }
            });
            connect_to({server.url()});
            cancel_after_steps = steps;
            reply = push();
            client->stop();
        }
        answered = reply.reach == reach::answered;
        EXPECT_EQ(reply.failure, answered ? transport_failure::none : transport_failure::cancelled) << steps;
        EXPECT_EQ(client->counters().busy, 0U) << steps;
        if (reply.reach == reach::not_sent) {
            EXPECT_EQ(requests, 0U) << steps;
        }
    }
}

asio::awaitable<domain::push_reply> push_cancelled_before(wechat::transport& over, asio::cancellation_signal& cancel)
{
    wechat::push_client pushes(over);
    engine::push_request request;
    request.kind = &template_kind();
    asio::awaitable<domain::push_reply> sending = pushes.send(request);
    co_await asio::this_coro::throw_if_cancelled(false);
    cancel.emit(asio::cancellation_type::terminal);
    co_return co_await std::move(sending);
}

TEST_F(wechat_faults, a_request_cancelled_before_it_began_means_not_sent)
{
    connect_to({"https://127.0.0.1:1"});
    const domain::push_reply reply = run(push_cancelled_before(*client, cancel));
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
}

TEST_F(wechat_faults, stopping_ends_what_is_under_way_and_whatever_comes_later)
{
    const scripted_server server(tls(), [this](scripted_connection& connection) {
        connection.read_request();
        asio::post(io, [this] { client->stop(); });
        connection.wait_closed();
    });
    connect_to({server.url()});
    domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::unknown);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
    reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::cancelled);
    EXPECT_EQ(server.accepted(), 1U);
}

TEST_F(wechat_faults, nothing_of_a_token_is_in_what_the_transport_says)
{
    const auto fail = [](scripted_connection& connection) {
        connection.read_request();
        connection.reset();
    };
    const scripted_server server(tls(), fail);
    connect_to({server.url()});
    const domain::push_reply reply = push("{\"touser\":\"openid\"}", "canary");
    EXPECT_FALSE(reply.errmsg.empty());
    for (const char* const hidden : {"canary", "openid", "access_token", "?"}) {
        EXPECT_EQ(reply.errmsg.find(hidden), std::string::npos) << reply.errmsg;
    }
}

} // namespace
} // namespace wxcourier::test
