// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"
#include "temporary_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace wxcourier::config {
namespace {

using namespace std::chrono_literals;

const std::string required = "kafka: {bootstrap_servers: 127.0.0.1:9092}\n"
                             "apps: [{name: shop, type: official_account, appid: wx0123456789abcdef, "
                             "secret: {env: WXCOURIER_TEST_SECRET}}]\n";

/// The settings; what was wrong becomes the test's failure.
settings load(const std::string& text, secrets want = secrets::required)
{
    auto outcome = load_text(text, want);
    for (const auto& error : outcome.errors)
        ADD_FAILURE() << to_string(error, "text");
    return outcome.loaded.value_or(settings{});
}

std::vector<std::string> warnings_of(const std::string& text)
{
    std::vector<std::string> all;
    for (const auto& warning : load_text(text).warnings)
        all.push_back(to_string(warning, "").substr(1));
    return all;
}

class Load : public testing::Test {
protected:
    void SetUp() override
    {
        ::setenv("WXCOURIER_TEST_SECRET", "s3cr3t-word", 1);
        ::setenv("WXCOURIER_TEST_PORT", "9443", 1);
    }
};

TEST_F(Load, GivesEveryDefault)
{
    const auto read = load(required);
    settings expected;
    expected.kafka.bootstrap_servers = "127.0.0.1:9092";
    expected.apps.resize(1);
    auto& app = expected.apps[0];
    app.name = "shop";
    app.type = app_type::official_account;
    app.appid = "wx0123456789abcdef";
    app.app_secret = secret{"s3cr3t-word"};
    app.app_secret_source = {secret_source::kind::environment, "WXCOURIER_TEST_SECRET"};
    EXPECT_TRUE(read == expected);
    EXPECT_TRUE(warnings_of(required).empty());
}

TEST_F(Load, DefaultsAreThoseOfTheReference)
{
    const auto read = load(required);
    EXPECT_EQ(read.kafka.group_id, "wxcourier");
    EXPECT_EQ(read.kafka.start, start_position::earliest);
    EXPECT_EQ(read.topics.jobs[0].name, "push.jobs");
    EXPECT_EQ(read.topics.status, "push.status");
    EXPECT_EQ(read.topics.dead_letter, "push.dead");
    EXPECT_EQ(read.topics.delayed, "push.delayed");
    EXPECT_EQ(read.topics.tokens, "push.tokens");
    EXPECT_EQ(read.topics.fleet, "push.fleet");
    EXPECT_FALSE(read.topics.create);
    EXPECT_EQ(read.wechat.base_urls, std::vector<std::string>{"https://api.weixin.qq.com"});
    EXPECT_FALSE(read.wechat.ca_file);
    EXPECT_EQ(read.wechat.connect_timeout, 3s);
    EXPECT_EQ(read.wechat.request_timeout, 10s);
    EXPECT_EQ(read.apps[0].token.source, token_source::stable);
    EXPECT_EQ(read.apps[0].rate_per_second, 200);
    EXPECT_EQ(read.apps[0].rate_burst, 50);
    EXPECT_EQ(read.apps[0].concurrency, 256);
    EXPECT_EQ(read.apps[0].quota, quota_settings{});
    EXPECT_FALSE(read.apps[0].quota.daily);
    EXPECT_EQ(read.apps[0].quota.reserve_percent, 0);
    EXPECT_EQ(read.apps[0].weight, 1);
    EXPECT_FALSE(read.apps[0].per_recipient);
    EXPECT_EQ(read.delivery.guarantee, guarantee::at_least_once);
    EXPECT_EQ(read.delivery.ordering, ordering::none);
    EXPECT_EQ(read.delivery.on_unknown, on_unknown::retry);
    EXPECT_EQ(read.delivery.retry.initial, 200ms);
    EXPECT_EQ(read.delivery.retry.max, 60s);
    EXPECT_EQ(read.delivery.retry.give_up_after, 6h);
    EXPECT_EQ(read.delivery.max_age, milliseconds{48h});
    EXPECT_EQ(read.delivery.max_delay, 7 * 24h);
    EXPECT_EQ(read.delivery.commit_interval, 25ms);
    EXPECT_EQ(read.delivery.revoke_timeout, 12s);
    EXPECT_EQ(read.delivery.drain_timeout, 20s);
    EXPECT_FALSE(read.delivery.dry_run);
    EXPECT_TRUE(read.token_key.empty());
    EXPECT_EQ(read.http.host, "127.0.0.1");
    EXPECT_EQ(read.http.port, 8080);
    EXPECT_FALSE(read.admin.listen);
    EXPECT_EQ(read.log.level, log::level::info);
    EXPECT_EQ(read.log.format, log::format::text);
}

TEST_F(Load, ReadsKafkaAndTopics)
{
    const auto read = load(R"(
kafka:
  bootstrap_servers: a.example:9092, b.example, SSL://[::1]:9093
  group_id: senders
  start: error
  properties:
    security.protocol: SASL_SSL
    session.timeout.ms: 30000
    socket.nagle.disable: true
    sasl.password: {env: WXCOURIER_TEST_SECRET}
topics:
  jobs: [a, {name: b}, {name: c, apps: [shop]}]
  status: s
  dead_letter: d
  delayed: w
  tokens: t
  fleet: f
  create: {partitions: 6, replication: 3}
apps: [{name: shop, type: mini_program, appid: wx0123456789abcdef, secret: {env: WXCOURIER_TEST_SECRET}}]
)");
    EXPECT_EQ(read.kafka.bootstrap_servers, "a.example:9092, b.example, SSL://[::1]:9093");
    EXPECT_EQ(read.kafka.group_id, "senders");
    EXPECT_EQ(read.kafka.start, start_position::error);
    ASSERT_EQ(read.kafka.properties.size(), 4U);
    EXPECT_EQ(read.kafka.properties.at("session.timeout.ms").reveal(), "30000");
    EXPECT_EQ(read.kafka.properties.at("socket.nagle.disable").reveal(), "true");
    EXPECT_EQ(read.kafka.properties.at("sasl.password").reveal(), "s3cr3t-word");
    const std::vector<jobs_topic> jobs{{"a", {}}, {"b", {}}, {"c", {"shop"}}};
    EXPECT_TRUE(read.topics.jobs == jobs);
    EXPECT_EQ(read.topics.status + read.topics.dead_letter + read.topics.delayed + read.topics.tokens +
                  read.topics.fleet,
              "sdwtf");
    EXPECT_EQ(read.topics.create, (topic_creation{6, 3}));
}

TEST_F(Load, CreateIsTrueNullOrAMapping)
{
    EXPECT_EQ(load(required + "topics: {create: true}").topics.create, (topic_creation{12, -1}));
    EXPECT_EQ(load(required + "topics: {create: {}}").topics.create, (topic_creation{12, -1}));
    EXPECT_FALSE(load(required + "topics: {create: null}").topics.create);
    EXPECT_FALSE(load(required + "topics: {create: false}").topics.create);
}

TEST_F(Load, ReadsAppsAndTheirTokens)
{
    const temporary_file key{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"};
    const auto read = load(R"(
kafka: {bootstrap_servers: a}
token_key: {file: )" + key.path() +
                           R"(}
apps:
- name: classic-one
  type: mini_program
  appid: wx0123456789abcdef
  secret: {env: WXCOURIER_TEST_SECRET}
  token: {source: classic, refresh_before: 5m}
  rate: {per_second: 0.5, burst: 1}
  concurrency: 8
  quota: {daily: 100000, reserve_percent: 20}
  weight: 3
  per_recipient: {max: 5, window: 12h}
- name: shared.one
  type: official_account
  appid: wx1123456789abcdef
  token:
    source: shared
    url: https://tokens.example/wechat?app=one
    header: X-Api-Key
    secret: {env: WXCOURIER_TEST_SECRET}
    path: data.token
    expires_path: data.left
    ca_file: null
    min_interval: 500ms
)");
    ASSERT_EQ(read.apps.size(), 2U);
    EXPECT_EQ(read.apps[0].token.source, token_source::classic);
    EXPECT_EQ(read.apps[0].token.refresh_before, milliseconds{5min});
    EXPECT_EQ(read.apps[0].rate_per_second, 0.5);
    EXPECT_EQ(read.apps[0].rate_burst, 1);
    EXPECT_EQ(read.apps[0].concurrency, 8);
    EXPECT_EQ(read.apps[0].quota, (quota_settings{100'000, 20}));
    EXPECT_EQ(read.apps[0].weight, 3);
    EXPECT_EQ(read.apps[0].per_recipient, (recipient_settings{5, 12h}));
    const auto& token = read.apps[1].token;
    EXPECT_EQ(token.source, token_source::shared);
    EXPECT_EQ(token.shared.url, "https://tokens.example/wechat?app=one");
    EXPECT_EQ(token.shared.header, "X-Api-Key");
    EXPECT_EQ(token.shared.header_value.reveal(), "s3cr3t-word");
    EXPECT_EQ(token.shared.path, "data.token");
    EXPECT_EQ(token.shared.expires_path, "data.left");
    EXPECT_EQ(token.shared.ca_file, std::nullopt);
    EXPECT_EQ(token.shared.header_source, (secret_source{secret_source::kind::environment, "WXCOURIER_TEST_SECRET"}));
    EXPECT_EQ(token.shared.min_interval, 500ms);
    EXPECT_TRUE(read.apps[1].app_secret.empty());
    ASSERT_EQ(read.token_key.reveal().size(), 32U);
    EXPECT_EQ(read.token_key.reveal()[31], '\x1F');
}

TEST_F(Load, ReadsDeliveryListenersAndLog)
{
    const auto read = load(required + R"(
wechat: {base_urls: ["https://a.example/", "https://b.example:8443"], connect_timeout: 1s, request_timeout: 2s}
delivery:
  guarantee: at_most_once
  ordering: key
  on_unknown: report
  retry: {initial: 1s, max: 2m, give_up_after: 1d, network: {max: 10s}, busy: {give_up_after: 1h}, recipient: null}
  max_age: null
  max_delay: 1h
  commit_interval: 1s
  revoke_timeout: 3s
  drain_timeout: 1m
  dry_run: true
http: {listen: "[::]:0"}
admin: {listen: "127.0.0.1:9000", token: {value: a-token-of-20-letters}}
log: {level: debug, format: json}
)");
    EXPECT_EQ(read.wechat.base_urls, (std::vector<std::string>{"https://a.example", "https://b.example:8443"}));
    EXPECT_EQ(read.delivery.guarantee, guarantee::at_most_once);
    EXPECT_EQ(read.delivery.ordering, ordering::key);
    EXPECT_EQ(read.delivery.on_unknown, on_unknown::report);
    EXPECT_EQ(read.delivery.retry, (retry_settings{1s, 2min, 24h, {10s, std::nullopt}, {std::nullopt, 1h}, {}}));
    EXPECT_FALSE(read.delivery.max_age);
    EXPECT_EQ(read.delivery.drain_timeout, 1min);
    EXPECT_TRUE(read.delivery.dry_run);
    EXPECT_EQ(read.http, (listen_address{"::", 0}));
    EXPECT_EQ(read.admin.listen, (listen_address{"127.0.0.1", 9000}));
    EXPECT_EQ(read.admin.token.reveal(), "a-token-of-20-letters");
    EXPECT_EQ(read.log.level, log::level::debug);
    EXPECT_EQ(read.log.format, log::format::json);
}

TEST_F(Load, EmptySectionsAreDefaults)
{
    const auto read = load(required + "topics:\nwechat:\ndelivery: {retry: }\nhttp: {}\nadmin: ~\nlog: null\n");
    EXPECT_TRUE(read == load(required));
}

TEST_F(Load, ReplacesVariablesInAnyScalar)
{
    const auto read = load(required + R"(
http:
  listen: 127.0.0.1:${WXCOURIER_TEST_PORT}
topics:
  status: a.${WXCOURIER_TEST_PORT}.${WXCOURIER_TEST_PORT}.b
  create: {partitions: "${WXCOURIER_TEST_PORT}"}
)");
    EXPECT_EQ(read.http.port, 9443);
    EXPECT_EQ(read.topics.status, "a.9443.9443.b");
    EXPECT_EQ(read.topics.create->partitions, 9443) << "quotes around a variable do not make it a string";
}

TEST_F(Load, TwoDollarsKeepABraceAsItIs)
{
    const auto read = load("kafka:\n"
                           "  bootstrap_servers: b\n"
                           "  group_id: $5$${WXCOURIER_TEST_PORT}$\n" +
                           required.substr(required.find('\n') + 1));
    EXPECT_EQ(read.kafka.group_id, "$5${WXCOURIER_TEST_PORT}$");
}

TEST_F(Load, DoesNotReplaceWithinWhatAVariableHolds)
{
    ::setenv("WXCOURIER_TEST_NESTED", "${WXCOURIER_TEST_PORT}", 1);
    const auto read = load("kafka:\n"
                           "  bootstrap_servers: b\n"
                           "  group_id: ${WXCOURIER_TEST_NESTED}\n" +
                           required.substr(required.find('\n') + 1));
    EXPECT_EQ(read.kafka.group_id, "${WXCOURIER_TEST_PORT}");
}

TEST_F(Load, WhatLooksLikeAnotherTypeIsStillTheString)
{
    const auto read = load("kafka: {bootstrap_servers: b, group_id: 010}\n"
                           "apps: [{name: yes, type: mini_program, appid: wx0123456789abcdef, "
                           "secret: {env: WXCOURIER_TEST_SECRET}}]\n");
    EXPECT_EQ(read.kafka.group_id, "010");
    EXPECT_EQ(read.apps[0].name, "yes");
}

TEST_F(Load, ReadsAByteOrderMarkAndCarriageReturns)
{
    const auto read = load("\xEF\xBB\xBFkafka:\r\n  bootstrap_servers: b\r\n  group_id: g\r\n" +
                           required.substr(required.find('\n') + 1));
    EXPECT_EQ(read.kafka.group_id, "g");
}

TEST_F(Load, WarnsOfWhatWorksButShouldNotBe)
{
    EXPECT_EQ(warnings_of("kafka: {bootstrap_servers: b, properties: {sasl.password: plain}}\n"
                          "apps:\n"
                          "- {name: a, type: mini_program, appid: gh_0123, secret: {value: plain}}\n"
                          "- {name: b, type: mini_program, appid: gh_0123, secret: {value: plain}}\n"
                          "wechat: {base_urls: [http://127.0.0.1:8080]}\n"
                          "delivery: {guarantee: at_most_once, on_unknown: retry}\n"),
              (std::vector<std::string>{
                  "1:59: kafka.properties.sasl.password holds the secret itself, expected {env: NAME} or {file: PATH}",
                  R"(3:40: apps[0].appid is "gh_0123", expected wx and 16 hexadecimal digits)",
                  "3:57: apps[0].secret holds the secret itself, expected {env: NAME} or {file: PATH}",
                  R"(4:40: apps[1].appid is "gh_0123", expected wx and 16 hexadecimal digits)",
                  "4:40: apps[1].appid is that of apps[0] too, expected one app for each AppID: their rates add up, "
                  "and classic tokens end each other",
                  "4:57: apps[1].secret holds the secret itself, expected {env: NAME} or {file: PATH}",
                  "5:22: wechat.base_urls[0] is plain http, expected https outside of tests",
                  "6:49: delivery.on_unknown is retry, expected report: at_most_once never sends a message again",
              }));
}

TEST_F(Load, WithoutSecretsReadsNothingButTheFile)
{
    ::unsetenv("WXCOURIER_TEST_SECRET");
    const auto text = required + "token_key: {file: /nonexistent/key}\n"
                                 "wechat: {ca_file: /nonexistent/ca.pem}\n"
                                 "admin: {listen: \"127.0.0.1:9000\"}\n";
    EXPECT_EQ(load_text(text).errors.size(), 4U);
    const auto read = load(text, secrets::ignored);
    EXPECT_TRUE(read.apps[0].app_secret.empty());
    EXPECT_EQ(read.apps[0].app_secret_source.name, "WXCOURIER_TEST_SECRET");
    EXPECT_EQ(read.wechat.ca_file, "/nonexistent/ca.pem");
}

TEST_F(Load, OfKafkaReadsThatClientsSecretsOnly)
{
    ::unsetenv("WXCOURIER_TEST_SECRET");
    ::setenv("WXCOURIER_TEST_SASL", "kafka-password", 1);
    std::string text = required;
    text.insert(text.find("kafka: {") + 8, "properties: {sasl.password: {env: WXCOURIER_TEST_SASL}}, ");
    const auto read = load(text, secrets::of_kafka);
    EXPECT_TRUE(read.apps[0].app_secret.empty());
    EXPECT_EQ(read.kafka.properties.at("sasl.password").reveal(), "kafka-password");
    ::unsetenv("WXCOURIER_TEST_SASL");
    EXPECT_EQ(load_text(text, secrets::of_kafka).errors.size(), 1U);
}

TEST_F(Load, WithoutSecretsStillChecksTheirShape)
{
    const auto outcome = load_text(required + "token_key: plain\n", secrets::ignored);
    EXPECT_EQ(outcome.errors.size(), 1U);
}

TEST_F(Load, TheAdminTokenIsReadOnlyWhereItIsNeeded)
{
    EXPECT_TRUE(load_text(required + "admin: {token: {file: /nonexistent/admin}}\n").errors.empty());
    const auto outcome = load_text(required + "admin: {listen: \"127.0.0.1:9000\"}\n");
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(to_string(outcome.errors[0], ""),
              ":3:17: admin.token: the file /run/secrets/admin cannot be read: No such file or directory, expected the "
              "secret there");
}

TEST_F(Load, AsksTheClientLibraryAboutProperties)
{
    const auto check = [](const std::string& name, std::optional<std::string_view> value) {
        if (name == "no.such.property")
            return property_verdict::unknown_name;
        return value == "hunter2" ? property_verdict::bad_value : property_verdict::good;
    };
    const auto outcome = load_text("kafka:\n"
                                   "  bootstrap_servers: b\n"
                                   "  properties:\n"
                                   "    no.such.property: 1\n"
                                   "    debug: hunter2\n"
                                   "    client.rack: r\n" +
                                       required.substr(required.find('\n') + 1),
                                   secrets::required, check);
    ASSERT_EQ(outcome.errors.size(), 2U);
    EXPECT_EQ(to_string(outcome.errors[0], ""),
              R"(:4:5: unknown property "no.such.property", expected one of librdkafka's)");
    EXPECT_EQ(to_string(outcome.errors[1], ""),
              ":5:12: kafka.properties.debug has a value that librdkafka refuses, expected one its CONFIGURATION.md "
              "allows");
}

TEST_F(Load, ReadsAFile)
{
    const temporary_file file{required};
    EXPECT_TRUE(load_file(file.path()).loaded == load(required));
}

TEST_F(Load, SaysWhyAFileCannotBeRead)
{
    const auto missing = load_file("/nonexistent/wxcourier.yaml");
    EXPECT_EQ(to_string(missing.errors.at(0), "F"),
              "F:1:1: the file cannot be read: No such file or directory, expected a configuration");
    const auto directory = load_file("/");
    EXPECT_EQ(to_string(directory.errors.at(0), "F"), "F:1:1: the file cannot be read: Is a directory, expected a "
                                                      "configuration");
    const temporary_file large{std::string(300'000, '\n')};
    EXPECT_EQ(to_string(load_file(large.path()).errors.at(0), "F"),
              "F:1:1: the file is larger than 256 KiB, expected a configuration");
}

TEST_F(Load, AnAliasBombIsRefusedAtOnce)
{
    std::string bomb = "a0: &a0 [x]\n";
    for (int i = 1; i < 12; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int k = 0; k < 9; ++k)
            bomb += ", " + before;
        bomb += "]\n";
    }
    EXPECT_GT(load_text(required + bomb).errors.size(), 100U);
}

} // namespace
} // namespace wxcourier::config
