// SPDX-License-Identifier: Apache-2.0
// What goes over the wire when all is well, and how connections are reused, replaced and failed over.
#include "tests/support/wechat_client_fixture.hpp"

#include <boost/asio/as_tuple.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace wxcourier::test {
namespace {

using domain::reach;
using domain::transport_failure;

class wechat_client : public wechat_client_test {};

/// Requests as servers read them, for the test's thread.
class seen_requests {
public:
    void add(std::string request)
    {
        const std::lock_guard guard(guard_);
        requests_.push_back(std::move(request));
    }
    std::vector<std::string> all()
    {
        const std::lock_guard guard(guard_);
        return requests_;
    }

private:
    std::mutex guard_;
    std::vector<std::string> requests_;
};

scripted_server::script record(seen_requests& seen, std::string text)
{
    return [&seen, text = std::move(text)](scripted_connection& connection) {
        for (;;) {
            std::string request = connection.read_request();
            if (request.empty()) {
                return;
            }
            seen.add(std::move(request));
            connection.write(text);
        }
    };
}

TEST_F(wechat_client, sends_the_body_word_for_word_and_reads_the_answer)
{
    seen_requests seen;
    const scripted_server server(tls(), record(seen, answer(accepted_body)));
    connect_to({server.url()});
    const std::string body = "{ \"touser\" : \"o\xe4\xb8\xad\\u4e2d\" }\n";
    const domain::push_reply reply = push(body, "se/cret+tok en");
    EXPECT_EQ(reply.reach, reach::answered);
    EXPECT_EQ(reply.failure, transport_failure::none);
    EXPECT_EQ(reply.http_status, 200);
    EXPECT_EQ(reply.errcode, 0);
    EXPECT_EQ(reply.msgid, "200228332");
    ASSERT_EQ(seen.all().size(), 1U);
    EXPECT_EQ(seen.all()[0], "POST /cgi-bin/message/template/send?access_token=se%2Fcret%2Btok%20en HTTP/1.1\r\n"
                             "Host: 127.0.0.1:" +
                                 std::to_string(server.port()) +
                                 "\r\n"
                                 "User-Agent: wxcourier/" WXCOURIER_VERSION "\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: 28\r\n"
                                 "\r\n" +
                                 body);
}

TEST_F(wechat_client, sends_a_body_of_the_largest_job_whole)
{
    seen_requests seen;
    const scripted_server server(tls(), record(seen, answer(accepted_body)));
    connect_to({server.url()});
    const std::string body = '"' + std::string(1'000'000, 'x') + '"';
    EXPECT_EQ(push(body).errcode, 0);
    EXPECT_TRUE(seen.all().at(0).ends_with("\r\n\r\n" + body));
}

TEST_F(wechat_client, asks_for_tokens_by_either_call)
{
    seen_requests seen;
    const scripted_server server(tls(), record(seen, answer(R"({"access_token":"TOKEN","expires_in":"345"})")));
    connect_to({server.url()});
    using call = decltype(engine::token_request::call);
    for (const call each : {call::stable, call::stable_forced, call::classic}) {
        const engine::token_reply reply = fetch(each);
        EXPECT_EQ(reply.token.reveal(), "TOKEN");
        EXPECT_EQ(reply.expires_in, seconds(345));
    }
    const std::vector<std::string> requests = seen.all();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_TRUE(requests[0].starts_with("POST /cgi-bin/stable_token HTTP/1.1\r\n")) << requests[0];
    EXPECT_TRUE(requests[0].ends_with("\r\n\r\n{\"grant_type\":\"client_credential\",\"appid\":\"wx0123456789abcdef\","
                                      "\"secret\":\"hidden&secret\",\"force_refresh\":false}"));
    EXPECT_TRUE(requests[1].ends_with("\"force_refresh\":true}"));
    EXPECT_TRUE(requests[2].starts_with("GET /cgi-bin/token?grant_type=client_credential&appid=wx0123456789abcdef"
                                        "&secret=hidden%26secret HTTP/1.1\r\n"));
    EXPECT_EQ(server.accepted(), 1U);
}

TEST_F(wechat_client, tells_why_no_token_came_and_never_the_secret)
{
    using call = decltype(engine::token_request::call);
    const scripted_server refusing(tls(), answer_always(answer(R"({"errcode":40125,"errmsg":"invalid appsecret"})")));
    connect_to({refusing.url()});
    engine::token_reply reply = fetch(call::classic);
    EXPECT_TRUE(reply.token.empty());
    EXPECT_EQ(reply.errcode, 40125);
    EXPECT_EQ(reply.errmsg, "invalid appsecret");

    const scripted_server gateway(tls(), answer_always(answer("<html>", "502 Bad Gateway")));
    connect_to({gateway.url()});
    reply = fetch(call::classic);
    EXPECT_FALSE(reply.errcode);
    EXPECT_EQ(reply.errmsg, "HTTP 502");

    const scripted_server silent(tls(), [](scripted_connection& connection) { connection.read_request(); });
    connect_to({silent.url()});
    reply = fetch(call::classic);
    EXPECT_FALSE(reply.errcode);
    EXPECT_FALSE(reply.errmsg.empty());
    EXPECT_EQ(reply.errmsg.find("hidden"), std::string::npos);
}

TEST_F(wechat_client, asks_how_much_of_a_quota_is_left)
{
    seen_requests seen;
    const scripted_server server(
        tls(), record(seen, answer(R"({"errcode":0,"errmsg":"ok","quota":{"daily_limit":100,"used":1,"remain":99}})")));
    connect_to({server.url()});
    wechat::quota_client quotas(*client);
    const auto reply = run(quotas.ask({&template_kind(), "token"}));
    ASSERT_TRUE(reply.standing);
    EXPECT_EQ(reply.standing->remain, 99);
    const auto requests = seen.all();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].starts_with("POST /cgi-bin/openapi/quota/get?access_token=token HTTP/1.1\r\n"))
        << requests[0];
    EXPECT_TRUE(requests[0].ends_with("\r\n\r\n{\"cgi_path\":\"/cgi-bin/message/template/send\"}")) << requests[0];

    const scripted_server gateway(tls(), answer_always(answer("<html>", "502 Bad Gateway")));
    connect_to({gateway.url()});
    wechat::quota_client elsewhere(*client);
    const auto failed = run(elsewhere.ask({&template_kind(), "token"}));
    EXPECT_FALSE(failed.standing);
    EXPECT_EQ(failed.errmsg, "HTTP 502");
}

TEST_F(wechat_client, keeps_a_connection_for_the_next_request)
{
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    connect_to({server.url()});
    for (int request = 0; request < 20; ++request) {
        EXPECT_EQ(push().errcode, 0);
    }
    EXPECT_EQ(server.accepted(), 1U);
    EXPECT_EQ(client->counters().opened, 1U);
    EXPECT_EQ(client->counters().reused, 19U);
    EXPECT_EQ(client->counters().idle, 1U);
    EXPECT_EQ(client->counters().busy, 0U);
}

TEST_F(wechat_client, takes_a_new_connection_after_an_answer_that_ends_the_old_one)
{
    for (const std::string& text : {
             answer(accepted_body, "200 OK", "Connection: close\r\n"),
             "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(accepted_body.size()) + "\r\n\r\n" + accepted_body,
             answer(accepted_body) + "more than was announced",
         })
    {
        const scripted_server server(tls(), answer_always(text));
        connect_to({server.url()});
        EXPECT_EQ(push().errcode, 0);
        EXPECT_EQ(client->counters().idle, 0U) << text;
        EXPECT_EQ(push().errcode, 0);
        EXPECT_EQ(server.accepted(), 2U) << text;
    }
}

TEST_F(wechat_client, keeps_an_http_1_0_connection_that_the_server_offers_to_keep)
{
    const scripted_server server(tls(),
                                 answer_always("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: " +
                                               std::to_string(accepted_body.size()) + "\r\n\r\n" + accepted_body));
    connect_to({server.url()});
    EXPECT_EQ(push().errcode, 0);
    EXPECT_EQ(push().errcode, 0);
    EXPECT_EQ(server.accepted(), 1U);
}

TEST_F(wechat_client, does_not_write_into_a_connection_that_the_server_has_closed)
{
    for (const bool polite : {true, false}) {
        std::atomic<bool> closed{false};
        const scripted_server server(tls(), [&closed, polite](scripted_connection& connection) {
            connection.read_request();
            connection.write(answer(accepted_body));
            polite ? connection.close_with_notify() : connection.reset();
            closed = true;
            closed.notify_all();
        });
        connect_to({server.url()});
        for (std::size_t request = 1; request <= 5; ++request) {
            closed = false;
            EXPECT_EQ(push().errcode, 0);
            closed.wait(false);
            EXPECT_EQ(server.accepted(), request);
        }
    }
}

TEST_F(wechat_client, closes_idle_connections_in_time)
{
    std::atomic<bool> gone{false};
    const scripted_server server(tls(), [&gone](scripted_connection& connection) {
        connection.read_request();
        connection.write(answer(accepted_body));
        gone = connection.wait_closed();
        gone.notify_all();
    });
    settings.idle_timeout = milliseconds(40);
    connect_to({server.url()});
    EXPECT_EQ(push().errcode, 0);
    EXPECT_EQ(client->counters().idle, 1U);
    io.run_for(seconds(30)); // Ends by itself once nothing is idle.
    EXPECT_EQ(client->counters().idle, 0U);
    gone.wait(false);
}

TEST_F(wechat_client, replaces_a_connection_after_its_most_uses)
{
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    settings.max_uses = 3;
    connect_to({server.url()});
    for (int request = 0; request < 7; ++request) {
        EXPECT_EQ(push().errcode, 0);
    }
    EXPECT_EQ(server.accepted(), 3U);
}

TEST_F(wechat_client, resumes_the_tls_session)
{
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        scripted_server::options how = tls();
        how.highest_version = version;
        const scripted_server server(how, answer_always(answer(accepted_body, "200 OK", "Connection: close\r\n")));
        connect_to({server.url()});
        for (int request = 0; request < 4; ++request) {
            EXPECT_EQ(push().errcode, 0);
        }
        EXPECT_EQ(server.handshakes(), 4U);
        EXPECT_EQ(server.resumed(), 3U) << version;
    }
}

/// `count` pushes at once; completes when all have ended.
asio::awaitable<int> push_many(wechat::transport& over, int count)
{
    asio::steady_timer ended(co_await asio::this_coro::executor, steady_time::max());
    wechat::push_client pushes(over);
    engine::push_request request;
    request.kind = &template_kind();
    request.body = "{}";
    request.token = "t";
    int left = count;
    int accepted = 0;
    for (int number = 0; number < count; ++number) {
        asio::co_spawn(co_await asio::this_coro::executor, pushes.send(request),
                       [&](const std::exception_ptr&, const domain::push_reply& reply) {
                           accepted += reply.errcode == 0 ? 1 : 0;
                           if (--left == 0) {
                               ended.cancel();
                           }
                       });
    }
    while (left > 0) {
        co_await ended.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return accepted;
}

asio::awaitable<int> warm(wechat::transport& over, std::size_t count)
{
    co_await over.warm(count);
    co_return 0;
}

TEST_F(wechat_client, resumes_one_tls_session_for_several_connections)
{
    // Those opened ahead read nothing, so the session of the first one is all there is.
    const scripted_server server(tls(), answer_always(answer(accepted_body, "200 OK", "Connection: close\r\n")));
    connect_to({server.url()});
    EXPECT_EQ(push().errcode, 0);
    run(warm(*client, 3));
    EXPECT_EQ(run(push_many(*client, 3)), 3);
    EXPECT_EQ(server.handshakes(), 4U);
    EXPECT_EQ(server.resumed(), 3U);
}

TEST_F(wechat_client, opens_no_more_connections_than_it_may)
{
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    settings.max_connections = 3;
    connect_to({server.url()});
    EXPECT_EQ(run(push_many(*client, 50)), 50);
    EXPECT_LE(server.accepted(), 3U);
    EXPECT_EQ(client->counters().busy, 0U);
}

TEST_F(wechat_client, keeps_no_more_idle_connections_than_it_may)
{
    // None is answered before all are connected, so that none takes over another's connection.
    std::atomic<std::size_t> requests{0};
    const scripted_server server(tls(), [&requests](scripted_connection& connection) {
        connection.read_request();
        ++requests;
        requests.notify_all();
        for (std::size_t seen = requests; seen < 20; seen = requests) {
            requests.wait(seen);
        }
        connection.write(answer(accepted_body));
        connection.wait_closed();
    });
    settings.max_idle = 4;
    connect_to({server.url()});
    EXPECT_EQ(run(push_many(*client, 20)), 20);
    requests = 20;
    requests.notify_all();
    EXPECT_EQ(server.accepted(), 20U);
    EXPECT_EQ(client->counters().idle, 4U);
}

TEST_F(wechat_client, uses_connections_that_were_opened_ahead)
{
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    connect_to({server.url()});
    run(warm(*client, 5));
    EXPECT_EQ(client->counters().idle, 5U);
    EXPECT_EQ(run(push_many(*client, 5)), 5);
    EXPECT_EQ(server.accepted(), 5U);
}

TEST_F(wechat_client, goes_to_the_next_base_url_and_back_once_the_first_answers)
{
    scripted_server::options how = tls();
    how.listen_at_once = false;
    scripted_server first(how, answer_always(answer(accepted_body)));
    const scripted_server second(tls(), answer_always(answer(accepted_body)));
    settings.failures_to_move = 3;
    settings.probe_interval = milliseconds(0);
    connect_to({first.url(), second.url()});
    for (int failure = 0; failure < 3; ++failure) {
        const domain::push_reply reply = push();
        EXPECT_EQ(reply.reach, reach::not_sent);
        EXPECT_EQ(reply.failure, transport_failure::connect);
    }
    EXPECT_EQ(client->counters().hosts_changed, 1U);
    EXPECT_EQ(push().reach, reach::not_sent) << "a probe";
    EXPECT_EQ(client->counters().hosts_changed, 1U);
    first.listen();
    EXPECT_EQ(push().errcode, 0);
    EXPECT_EQ(client->counters().hosts_changed, 2U);
    EXPECT_EQ(first.accepted(), 1U);
    EXPECT_EQ(second.accepted(), 0U);

    // Between probes, requests go to the second.
    scripted_server third(how, answer_always(answer(accepted_body)));
    settings.probe_interval = milliseconds(3'600'000);
    connect_to({third.url(), second.url()});
    for (int failure = 0; failure < 3; ++failure) {
        EXPECT_EQ(push().reach, reach::not_sent);
    }
    EXPECT_EQ(push().errcode, 0);
    EXPECT_EQ(second.accepted(), 1U);
}

TEST_F(wechat_client, an_unknown_outcome_is_no_reason_to_leave_a_host)
{
    const scripted_server first(tls(), [](scripted_connection& connection) {
        connection.read_request();
        connection.reset();
    });
    const scripted_server second(tls(), answer_always(answer(accepted_body)));
    settings.failures_to_move = 1;
    connect_to({first.url(), second.url()});
    for (int request = 0; request < 5; ++request) {
        EXPECT_EQ(push().reach, reach::unknown);
    }
    EXPECT_EQ(second.accepted(), 0U);
}

TEST_F(wechat_client, finds_localhost_whichever_family_listens)
{
    for (const char* const address : {"127.0.0.1", "::1"}) {
        scripted_server::options how = tls();
        how.address = address;
        const scripted_server server(how, answer_always(answer(accepted_body)));
        const std::string host = std::string(address) == "::1" ? "[::1]" : "localhost";
        connect_to({server.url(host)});
        EXPECT_EQ(push().errcode, 0) << address;
    }
}

TEST_F(wechat_client, a_name_that_cannot_be_resolved_means_not_sent)
{
    connect_to({"https://" + std::string(70, 'a') + ".invalid"});
    const domain::push_reply reply = push();
    EXPECT_EQ(reply.reach, reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::resolve);
    EXPECT_EQ(reply.http_status, 0);
    EXPECT_EQ(client->counters().resolve_failed, 1U);
}

/// Notes what there was when it was asked.
class noted_gate final : public engine::write_gate {
public:
    noted_gate(wechat::transport& client, seen_requests& seen, bool opens) : client_(client), seen_(seen), opens_(opens)
    {
    }
    bool opens() override
    {
        ++asked;
        connections_then = client_.counters().opened;
        requests_then = seen_.all().size();
        return false;
    }
    asio::awaitable<bool> opened() override { co_return opens_; }

    int asked = 0;
    std::size_t connections_then = 0;
    std::size_t requests_then = 0;

private:
    wechat::transport& client_;
    seen_requests& seen_;
    bool opens_;
};

TEST_F(wechat_client, the_gate_is_asked_when_the_connection_is_there_and_nothing_has_been_written)
{
    seen_requests seen;
    const scripted_server server(tls(), record(seen, answer(accepted_body)));
    connect_to({server.url()});
    wechat::push_client pushes(*client);
    engine::push_request request{&template_kind(), "{}", "token"};

    noted_gate shut(*client, seen, false);
    request.gate = &shut;
    const auto unsent = run(pushes.send(request));
    EXPECT_EQ(unsent.reach, reach::not_sent);
    EXPECT_EQ(unsent.failure, transport_failure::cancelled);
    EXPECT_EQ(shut.asked, 1);
    EXPECT_EQ(shut.connections_then, 1U);
    EXPECT_TRUE(seen.all().empty());

    noted_gate open(*client, seen, true);
    request.gate = &open;
    const auto sent = run(pushes.send(request));
    EXPECT_EQ(sent.reach, reach::answered);
    EXPECT_EQ(open.asked, 1);
    EXPECT_EQ(open.requests_then, 0U);
    EXPECT_EQ(seen.all().size(), 1U);
    EXPECT_EQ(client->counters().opened, 1U) << "the connection that nothing was written to is used";
}

} // namespace
} // namespace wxcourier::test
