// SPDX-License-Identifier: Apache-2.0
// What a burst of requests opens: few connections until one of them has brought a TLS session, then many at once.
#include "tests/support/wechat_client_fixture.hpp"
#include "wechat/handshake_window.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wxcourier::test {
namespace {

using domain::reach;
using domain::transport_failure;

constexpr std::size_t few = wechat::handshake_window::first;
constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

/// Holds connections back until the test lets those with lower numbers go on.
class barrier {
public:
    void let(std::size_t up_to)
    {
        const std::lock_guard guard(guard_);
        up_to_ = std::max(up_to_, up_to);
        moved_.notify_all();
    }
    void pass(std::size_t number)
    {
        std::unique_lock guard(guard_);
        moved_.wait(guard, [&] { return number < up_to_; });
    }

private:
    std::mutex guard_;
    std::condition_variable moved_;
    std::size_t up_to_ = 0;
};

/// Calls `what` when the connection is there and nothing has been written.
class calling_gate final : public engine::write_gate {
public:
    explicit calling_gate(std::function<void()> what) : what_(std::move(what)) {}
    bool opens() override
    {
        what_();
        return true;
    }
    asio::awaitable<bool> opened() override { co_return true; }

private:
    std::function<void()> what_;
};

class wechat_handshakes : public wechat_client_test {
public:
    struct sent_push {
        asio::cancellation_signal cancel;
        std::optional<domain::push_reply> reply;
    };

    static scripted_server::options without_tickets()
    {
        scripted_server::options how = tls();
        how.tickets = false;
        return how;
    }

    /// Begins with a server that lets the test hold connections when the client has sent its first bytes.
    void serve_by(scripted_server::options how, scripted_server::script then)
    {
        how.skip_handshake = true;
        server.emplace(how, [this, then = std::move(then)](scripted_connection& connection) {
            if (!connection.wait_hello()) {
                return; // A probe.
            }
            if (connection.number() < held_below) {
                handshakes.pass(connection.number());
            }
            then(connection);
        });
        connect_to({server->url()});
        pushes.emplace(*client);
    }

    /// The same, with a handshake.
    void serve(const scripted_server::options& how, scripted_server::script then)
    {
        serve_by(how, [this, over_tls = how.identity.has_value(), then = std::move(then)](scripted_connection& one) {
            if (over_tls && !one.handshake()) {
                return;
            }
            full += one.resumed() ? 0 : 1;
            then(one);
        });
    }

    /// Answers nobody before somebody has resumed a session; until then handshakes are held of those that can be under
    /// way without one: the first few, and two instead of the one that is let go on. A probe has a number too. All of
    /// 64 requests are served in the end.
    void burst_that_resumes(int version)
    {
        scripted_server::options how = tls();
        how.highest_version = version;
        held_below = few + 1 + 2;
        serve(how, [this](scripted_connection& connection) {
            if (connection.resumed()) {
                handshakes.let(all);
                answers.let(all);
            }
            answers.pass(0);
            answer_always(answer(accepted_body))(connection);
        });
        begin(64);
        ASSERT_EQ(connections(), few);
        handshakes.let(1);
        EXPECT_TRUE(run_to_end());
        EXPECT_EQ(accepted(), 64U);
    }

    /// So many requests at once, as far as they get without an answer of the server.
    void begin(std::size_t count, engine::write_gate* gate_of_first = nullptr)
    {
        for (std::size_t number = 0; number < count; ++number) {
            engine::push_request request{&template_kind(), "{}", "token"};
            request.gate = number == 0 ? gate_of_first : nullptr;
            sent_push& one = sent.emplace_back();
            asio::co_spawn(io, pushes->send(request),
                           asio::bind_cancellation_slot(
                               one.cancel.slot(), [&one](const std::exception_ptr&, const domain::push_reply& reply) {
                                   one.reply = reply;
                               }));
        }
        go_on();
    }

    /// Runs what needs no answer of the server.
    void go_on()
    {
        io.restart();
        while (io.poll() > 0) {
        }
    }

    template <class Condition>
    [[nodiscard]] bool run_until(Condition is_met)
    {
        const steady_time limit = steady_clock::now() + seconds(60);
        io.restart();
        while (!is_met() && steady_clock::now() < limit) {
            io.run_one_for(milliseconds(5));
        }
        return is_met();
    }

    [[nodiscard]] bool run_to_end()
    {
        return run_until([this] { return ended() == sent.size(); });
    }

    [[nodiscard]] std::size_t ended() const
    {
        return static_cast<std::size_t>(
            std::count_if(sent.begin(), sent.end(), [](const sent_push& one) { return one.reply.has_value(); }));
    }

    [[nodiscard]] std::size_t accepted() const
    {
        return static_cast<std::size_t>(std::count_if(
            sent.begin(), sent.end(), [](const sent_push& one) { return one.reply && one.reply->errcode == 0; }));
    }

    /// How many connections the client has opened so far. A connection of the test's own goes behind them, and the
    /// server takes it up after them; it has a number as well.
    std::size_t connections()
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(server->port());
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char nothing = 0;
        if (::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::shutdown(probe, SHUT_WR) != 0 || ::recv(probe, &nothing, 1, 0) != 0)
        {
            ADD_FAILURE() << "no probe";
        }
        ::close(probe);
        return server->accepted() - ++probes;
    }

    void TearDown() override
    {
        handshakes.let(all);
        answers.let(all);
        client->stop();
        EXPECT_TRUE(run_to_end());
        server.reset();
    }

    barrier handshakes; ///< By the connection's number.
    barrier answers;
    std::size_t held_below = all;     ///< Those with higher numbers go through.
    std::atomic<std::size_t> full{0}; ///< Handshakes that resumed nothing.
    std::size_t probes = 0;
    std::optional<scripted_server> server;
    std::optional<wechat::push_client> pushes;
    std::deque<sent_push> sent;
};

TEST_F(wechat_handshakes, are_few_until_a_session_is_there_and_all_requests_are_served_without_one)
{
    serve(without_tickets(), answer_always(answer(accepted_body)));
    begin(64);
    EXPECT_EQ(connections(), few);
    EXPECT_EQ(client->counters().opened, 0U);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 64U);
    EXPECT_EQ(client->counters().busy, 0U);
}

TEST_F(wechat_handshakes, let_two_go_on_with_each_success)
{
    serve(without_tickets(), [this](scripted_connection& connection) {
        answers.pass(connection.number());
        answer_always(answer(accepted_body))(connection);
    });
    begin(64);
    ASSERT_EQ(connections(), few);
    for (std::size_t successes = 1; successes <= 3; ++successes) {
        handshakes.let(successes);
        ASSERT_TRUE(run_until([&] { return client->counters().opened == successes; }));
        go_on();
        EXPECT_EQ(connections(), few + 2 * successes);
    }
    answers.let(all);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 64U);
}

TEST_F(wechat_handshakes, all_go_at_once_as_soon_as_a_session_is_there)
{
    burst_that_resumes(TLS1_3_VERSION);
    EXPECT_LE(full, few + 2);
}

TEST_F(wechat_handshakes, all_go_at_once_after_the_first_of_tls_1_2)
{
    burst_that_resumes(TLS1_2_VERSION);
    EXPECT_EQ(full, few);
}

TEST_F(wechat_handshakes, are_not_needed_by_who_gets_an_idle_connection_first)
{
    serve(without_tickets(), answer_always(answer(accepted_body)));
    begin(10);
    ASSERT_EQ(connections(), few);
    // Two take the place of the one that succeeds, and are held; the four others are served by it.
    handshakes.let(1);
    EXPECT_TRUE(run_until([&] { return ended() == 5; }));
    EXPECT_EQ(accepted(), 5U);
    EXPECT_EQ(connections(), few + 2);
    EXPECT_EQ(client->counters().busy, few + 1);
}

TEST_F(wechat_handshakes, that_fail_let_the_next_ones_try)
{
    serve_by(tls(), [](scripted_connection& connection) { connection.reset(); });
    begin(30);
    ASSERT_EQ(connections(), few);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    for (const sent_push& one : sent) {
        ASSERT_TRUE(one.reply);
        EXPECT_EQ(one.reply->reach, reach::not_sent);
        EXPECT_EQ(one.reply->failure, transport_failure::tls) << one.reply->errmsg;
    }
    EXPECT_EQ(connections(), 30U);
    EXPECT_EQ(client->counters().tls_failed, 30U);
}

TEST_F(wechat_handshakes, that_never_end_hold_nobody_up_for_longer_than_the_connect_timeout)
{
    settings.connect_timeout = milliseconds(500);
    serve_by(tls(), [](scripted_connection& connection) { connection.wait_closed(); });
    const steady_time began = steady_clock::now();
    begin(30);
    ASSERT_EQ(connections(), few);
    EXPECT_TRUE(run_to_end());
    EXPECT_LT(steady_clock::now() - began, seconds(10));
    for (const sent_push& one : sent) {
        ASSERT_TRUE(one.reply);
        EXPECT_EQ(one.reply->reach, reach::not_sent);
        EXPECT_NE(one.reply->errmsg.find("timed out"), std::string::npos) << one.reply->errmsg;
        EXPECT_GE(one.reply->latency, milliseconds(490));
    }
    EXPECT_EQ(client->counters().busy, 0U);
}

TEST_F(wechat_handshakes, are_few_again_after_one_that_failed)
{
    serve_by(tls(), [](scripted_connection& connection) {
        if (connection.number() == 10) {
            connection.reset();
        } else if (connection.handshake()) {
            connection.read_request();
            connection.write(answer(accepted_body, "200 OK", "Connection: close\r\n"));
        }
    });
    handshakes.let(1);
    EXPECT_EQ(push().errcode, 0);
    begin(8);
    EXPECT_EQ(connections(), 9U) << "there is a session";
    handshakes.let(11);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 8U);
    EXPECT_EQ(push().failure, transport_failure::tls) << "number 10, as the probe had a number too";
    begin(8);
    EXPECT_EQ(connections(), 10U + few);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 16U);
}

TEST_F(wechat_handshakes, of_plain_http_there_are_none_to_wait_for)
{
    serve({}, answer_always(answer(accepted_body)));
    begin(20);
    EXPECT_EQ(connections(), 20U);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 20U);
}

TEST_F(wechat_handshakes, are_not_waited_for_any_more_by_who_is_cancelled)
{
    serve(without_tickets(), answer_always(answer(accepted_body)));
    begin(10);
    ASSERT_EQ(connections(), few);
    sent[few].cancel.emit(asio::cancellation_type::terminal);
    go_on();
    ASSERT_TRUE(sent[few].reply);
    EXPECT_EQ(sent[few].reply->reach, reach::not_sent);
    EXPECT_EQ(sent[few].reply->failure, transport_failure::cancelled);
    EXPECT_EQ(ended(), 1U);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), 9U);
}

TEST_F(wechat_handshakes, let_others_go_on_when_those_whose_turn_it_is_are_cancelled)
{
    settings.connect_timeout = seconds(50);
    serve(without_tickets(), [this](scripted_connection& connection) {
        answers.pass(connection.number());
        answer_always(answer(accepted_body))(connection);
    });
    calling_gate gate([this] {
        // The first handshake has ended just now, and these two have been woken and do not know it yet.
        sent[few].cancel.emit(asio::cancellation_type::terminal);
        sent[few + 1].cancel.emit(asio::cancellation_type::terminal);
    });
    begin(few + 3, &gate);
    ASSERT_EQ(connections(), few);
    handshakes.let(1);
    ASSERT_TRUE(run_until([&] { return ended() == 2; }));
    go_on();
    EXPECT_EQ(sent[few].reply->failure, transport_failure::cancelled);
    EXPECT_EQ(sent[few + 1].reply->failure, transport_failure::cancelled);
    EXPECT_EQ(connections(), few + 1) << "the last one's turn";
    answers.let(all);
    handshakes.let(all);
    EXPECT_TRUE(run_to_end());
    EXPECT_EQ(accepted(), few + 1);
}

TEST_F(wechat_handshakes, are_waited_for_by_nobody_after_a_stop)
{
    serve(without_tickets(), answer_always(answer(accepted_body)));
    begin(10);
    ASSERT_EQ(connections(), few);
    client->stop();
    go_on();
    EXPECT_EQ(ended(), 10U);
    for (const sent_push& one : sent) {
        ASSERT_TRUE(one.reply);
        EXPECT_EQ(one.reply->reach, reach::not_sent);
        EXPECT_EQ(one.reply->failure, transport_failure::cancelled);
    }
    EXPECT_EQ(connections(), few);
}

} // namespace
} // namespace wxcourier::test
