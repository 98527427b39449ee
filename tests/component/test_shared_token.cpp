// SPDX-License-Identifier: Apache-2.0
// Tokens of a company's own token server, over the wire.
#include "tests/support/wechat_client_fixture.hpp"
#include "wechat/shared_token_client.hpp"

#include <mutex>

namespace wxcourier::test {
namespace {

const std::string good_body = R"({"code":0,"data":{"access_token":"T","expires_in":600}})";

class shared_token : public wechat_client_test {
protected:
    engine::token_reply ask(const std::string& url)
    {
        wechat::shared_token_settings how;
        how.url = url;
        how.header = "X-Api-Key";
        how.header_value = secret("hidden-word");
        how.path = "data.access_token";
        how.client = settings;
        how.client.ca_file = authority().file();
        wechat::shared_token_client client(io, how);
        return run(client.ask({}));
    }

    scripted_server::script record_and_answer(std::string text)
    {
        return [this, text = std::move(text)](scripted_connection& connection) {
            for (auto request = connection.read_request(); !request.empty(); request = connection.read_request()) {
                const std::lock_guard guard(guard_);
                requests.push_back(request);
                connection.write(text);
            }
        };
    }

    std::mutex guard_;
    std::vector<std::string> requests;
};

TEST_F(shared_token, is_asked_for_with_path_query_and_header_as_configured)
{
    const scripted_server server(tls(), record_and_answer(answer(good_body)));
    const auto reply = ask(server.url() + "/tokens/shop?key=a%20b&x=1");
    EXPECT_EQ(reply.token.reveal(), "T");
    EXPECT_EQ(reply.expires_in, seconds(600));
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].starts_with("GET /tokens/shop?key=a%20b&x=1 HTTP/1.1\r\n")) << requests[0];
    EXPECT_NE(requests[0].find("\r\nX-Api-Key: hidden-word\r\n"), std::string::npos) << requests[0];
}

TEST_F(shared_token, comes_over_plain_http_too_and_without_a_path)
{
    const scripted_server server({}, record_and_answer(answer(good_body)));
    EXPECT_EQ(ask(server.url()).token.reveal(), "T");
    EXPECT_EQ(ask(server.url() + "?key=1").token.reveal(), "T");
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_TRUE(requests[0].starts_with("GET / HTTP/1.1\r\n")) << requests[0];
    EXPECT_TRUE(requests[1].starts_with("GET /?key=1 HTTP/1.1\r\n")) << requests[1];
}

TEST_F(shared_token, lives_two_hours_at_most_when_the_server_does_not_say)
{
    const scripted_server server({}, answer_always(answer(R"({"data":{"access_token":"T"}})")));
    EXPECT_EQ(ask(server.url()).expires_in, seconds(7200));
}

TEST_F(shared_token, does_not_come_from_a_server_in_trouble_and_no_error_shows_the_secret)
{
    settings.connect_timeout = milliseconds(500);
    settings.request_timeout = milliseconds(300);
    const std::vector<std::pair<std::string, std::string>> table{
        {answer("no", "401 Unauthorized"), "token server: HTTP 401"},
        {answer("", "302 Found", "Location: https://elsewhere.example/\r\n"), "token server: HTTP 302"},
        {answer("<html>"), "token server: the answer is no JSON"},
        {answer("{}"), "token server: the answer has no token at data.access_token"},
    };
    for (const auto& [text, error] : table) {
        const scripted_server server({}, answer_always(text));
        const auto reply = ask(server.url() + "/?key=hidden-too");
        EXPECT_TRUE(reply.token.empty());
        EXPECT_FALSE(reply.errcode) << "a company's codes are not WeChat's";
        EXPECT_EQ(reply.errmsg, error);
    }
    const scripted_server silent({}, [](scripted_connection& connection) {
        connection.read_request();
        connection.wait_closed();
    });
    const auto reply = ask(silent.url() + "/?key=hidden-too");
    EXPECT_TRUE(reply.token.empty());
    EXPECT_TRUE(reply.errmsg.starts_with("token server: ")) << reply.errmsg;
    EXPECT_EQ(reply.errmsg.find("hidden"), std::string::npos) << reply.errmsg;
}

TEST_F(shared_token, is_not_taken_from_a_server_without_the_right_certificate)
{
    test_authority stranger;
    scripted_server::options how;
    const server_identity identity = stranger.issue();
    how.identity = identity;
    const scripted_server server(how, answer_always(answer(good_body)));
    EXPECT_TRUE(ask(server.url()).token.empty());
}

} // namespace
} // namespace wxcourier::test
