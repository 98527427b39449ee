// SPDX-License-Identifier: Apache-2.0
// Whom the client talks to: a request carries an access token, so not a byte of it may reach anybody else.
#include "tests/support/wechat_client_fixture.hpp"

#include <atomic>

namespace wxcourier::test {
namespace {

using domain::transport_failure;

struct trust_row {
    const char* name;
    std::string host; ///< What the client expects; the server is on 127.0.0.1 whatever it says.
    certificate_wish certificate;
    bool trusted;
    bool other_authority = false;
    int highest_version = 0;
};

class wechat_trust : public wechat_client_test, public ::testing::WithParamInterface<trust_row> {};

TEST_P(wechat_trust, is_given_to_the_right_certificate_only)
{
    const trust_row& row = GetParam();
    const test_authority stranger;
    scripted_server::options how;
    how.identity = (row.other_authority ? stranger : authority()).issue(row.certificate);
    how.highest_version = row.highest_version;
    std::atomic<std::size_t> requests{0};
    const scripted_server server(how, [&requests](scripted_connection& connection) {
        while (!connection.read_request().empty()) {
            ++requests;
            connection.write(answer(accepted_body));
        }
    });
    asio::ssl::context context = wechat::make_client_context(authority().file());
    wechat::tls_session session;
    const wechat::base_url url = wechat::parse_base_url("https://" + row.host);
    wechat::socket_poller poller(io);
    wechat::https_connection connection(poller, url, context, session);
    const wechat::address_list addresses{{asio::ip::make_address("127.0.0.1"), server.port()}};
    const auto outcome = run(connection.connect(addresses, steady_clock::now() + seconds(20), seconds(20)));
    EXPECT_EQ(outcome.failure, row.trusted ? transport_failure::none : transport_failure::tls) << outcome.error;
    EXPECT_EQ(connection.is_clean(), row.trusted);
    EXPECT_EQ(outcome.error.empty(), row.trusted);
}

INSTANTIATE_TEST_SUITE_P(
    certificates, wechat_trust,
    ::testing::Values(
        trust_row{"right_name", "api.example.test", {.alternative_names = "DNS:api.example.test"}, true},
        trust_row{"right_name_among_others",
                  "api.example.test",
                  {.alternative_names = "DNS:x.test,DNS:API.example.test"},
                  true},
        trust_row{"wildcard_for_one_label", "api.example.test", {.alternative_names = "DNS:*.example.test"}, true},
        trust_row{"right_address", "127.0.0.1", {.alternative_names = "IP:127.0.0.1"}, true},
        trust_row{"right_ipv6_address", "[::1]", {.alternative_names = "IP:::1"}, true},
        trust_row{
            "tls_1_2", "api.example.test", {.alternative_names = "DNS:api.example.test"}, true, false, TLS1_2_VERSION},
        trust_row{"other_authority", "api.example.test", {.alternative_names = "DNS:api.example.test"}, false, true},
        trust_row{"other_name", "api.example.test", {.alternative_names = "DNS:other.example.test"}, false},
        trust_row{"expired", "api.example.test", {.alternative_names = "DNS:api.example.test", .expired = true}, false},
        trust_row{"self_signed",
                  "api.example.test",
                  {.alternative_names = "DNS:api.example.test", .self_signed = true},
                  false},
        trust_row{"name_in_common_name_only",
                  "api.example.test",
                  {.common_name = "api.example.test", .alternative_names = ""},
                  false},
        trust_row{
            "wildcard_one_level_too_deep", "a.api.example.test", {.alternative_names = "DNS:*.example.test"}, false},
        trust_row{
            "wildcard_for_part_of_a_label", "api.example.test", {.alternative_names = "DNS:a*.example.test"}, false},
        trust_row{"wildcard_for_the_domain_itself", "example.test", {.alternative_names = "DNS:*.example.test"}, false},
        trust_row{"other_address", "127.0.0.1", {.alternative_names = "IP:127.0.0.2"}, false},
        trust_row{"address_as_a_name", "127.0.0.1", {.alternative_names = "DNS:127.0.0.1"}, false},
        trust_row{
            "address_in_common_name_only", "127.0.0.1", {.common_name = "127.0.0.1", .alternative_names = ""}, false},
        trust_row{"tls_1_1",
                  "api.example.test",
                  {.alternative_names = "DNS:api.example.test"},
                  false,
                  false,
                  TLS1_1_VERSION}),
    [](const auto& row) { return row.param.name; });

class wechat_tls : public wechat_client_test {};

TEST_F(wechat_tls, no_byte_of_a_request_reaches_a_server_that_is_not_trusted)
{
    const test_authority stranger;
    scripted_server::options how;
    how.identity = stranger.issue();
    // Goes on reading where a client would give up: whatever arrives, arrives here.
    std::atomic<bool> anything{false};
    const scripted_server server(
        how, [&anything](scripted_connection& connection) { anything = !connection.read_request().empty(); });
    connect_to({server.url()});
    const domain::push_reply reply = push("{\"touser\":\"canary\"}");
    EXPECT_EQ(reply.reach, domain::reach::not_sent);
    EXPECT_EQ(reply.failure, transport_failure::tls);
    EXPECT_NE(reply.errmsg.find("certificate"), std::string::npos) << reply.errmsg;
    EXPECT_EQ(client->counters().tls_failed, 1U);
    EXPECT_FALSE(anything);
}

TEST_F(wechat_tls, an_unusable_ca_file_is_an_error_at_once)
{
    settings.ca_file = "/nowhere/ca.pem";
    EXPECT_THROW(wechat::transport(io, settings), boost::system::system_error);
}

TEST_F(wechat_tls, without_a_ca_file_the_system_decides)
{
    const scripted_server server(tls(), answer_always(answer(accepted_body)));
    connect_to({server.url()});
    settings.ca_file.clear();
    client = std::make_unique<wechat::transport>(io, settings);
    EXPECT_EQ(push().failure, transport_failure::tls);
}

} // namespace
} // namespace wxcourier::test
