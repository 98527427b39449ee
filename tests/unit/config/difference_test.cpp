// SPDX-License-Identifier: Apache-2.0
#include "config/difference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace wxcourier::config {

void PrintTo(const change& each, std::ostream* out)
{
    *out << each.key << ": " << each.before << " -> " << each.after;
}

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

app_settings app_named(const std::string& name)
{
    app_settings app;
    app.name = name;
    app.appid = "wx-" + name;
    app.app_secret = secret("secret of " + name);
    app.app_secret_source = {secret_source::kind::file, "/run/secrets/" + name};
    return app;
}

settings good()
{
    settings all;
    all.kafka.bootstrap_servers = "kafka:9092";
    all.apps = {app_named("shop"), app_named("game")};
    return all;
}

/// What comes of a change to the settings of `good`.
difference after(const std::function<void(settings&)>& changed)
{
    auto wanted = good();
    changed(wanted);
    return compare(good(), wanted);
}

TEST(difference, like_settings_have_none)
{
    const auto found = compare(good(), good());
    EXPECT_TRUE(found.nothing_to_follow());
    EXPECT_THAT(found.needs_restart, IsEmpty());
}

TEST(difference, apps_are_told_apart_by_their_names_and_not_by_their_order)
{
    EXPECT_TRUE(after([](settings& wanted) { std::swap(wanted.apps[0], wanted.apps[1]); }).nothing_to_follow());
    const auto found = after([](settings& wanted) { wanted.apps[0] = app_named("new"); });
    EXPECT_THAT(found.added, ElementsAre("new"));
    EXPECT_THAT(found.removed, ElementsAre("shop"));
    EXPECT_THAT(found.changed, IsEmpty());
}

TEST(difference, limits_are_followed_at_once)
{
    const auto found = after([](settings& wanted) {
        wanted.apps[0].rate_per_second = 12.5;
        wanted.apps[0].rate_burst = 7;
        wanted.apps[0].concurrency = 9;
        wanted.apps[0].quota = {1000, 20};
        wanted.apps[0].weight = 3;
        wanted.apps[0].per_recipient = recipient_settings{2, 1h};
    });
    ASSERT_THAT(found.changed, SizeIs(1));
    const auto& shop = found.changed.at(0);
    EXPECT_EQ(shop.name, "shop");
    EXPECT_TRUE(shop.limits);
    EXPECT_FALSE(shop.token || shop.secret || shop.identity);
    EXPECT_THAT(shop.changes,
                ElementsAre(change{"apps.shop.rate.per_second", "200", "12.5"},
                            change{"apps.shop.rate.burst", "50", "7"}, change{"apps.shop.concurrency", "256", "9"},
                            change{"apps.shop.quota.daily", "null", "1000"},
                            change{"apps.shop.quota.reserve_percent", "0", "20"}, change{"apps.shop.weight", "1", "3"},
                            change{"apps.shop.per_recipient", "null", "2 in 1h"}));
}

TEST(difference, a_secret_is_never_shown)
{
    const auto found = after([](settings& wanted) {
        wanted.apps[0].app_secret = secret("another");
        wanted.apps[1].app_secret_source = {secret_source::kind::environment, "GAME"};
    });
    ASSERT_THAT(found.changed, SizeIs(2));
    EXPECT_TRUE(found.changed.at(0).secret);
    EXPECT_FALSE(found.changed.at(0).token || found.changed.at(0).limits || found.changed.at(0).identity);
    EXPECT_THAT(found.changed.at(0).changes,
                ElementsAre(change{"apps.shop.secret", "the file /run/secrets/shop", "the file /run/secrets/shop"}));
    EXPECT_THAT(found.changed.at(1).changes,
                ElementsAre(change{"apps.game.secret", "the file /run/secrets/game", "the environment variable GAME"}));
}

TEST(difference, another_source_of_tokens_needs_a_new_token)
{
    const auto found = after([](settings& wanted) {
        wanted.apps[0].token.source = token_source::shared;
        wanted.apps[0].token.shared.url = "https://tokens/key-in-the-url";
        wanted.apps[0].token.shared.header_value = secret("Bearer");
        wanted.apps[0].token.refresh_before = 5min;
        wanted.apps[0].token.shared.min_interval = 2s;
    });
    ASSERT_THAT(found.changed, SizeIs(1));
    EXPECT_TRUE(found.changed.at(0).token);
    EXPECT_FALSE(found.changed.at(0).identity || found.changed.at(0).limits || found.changed.at(0).secret);
    EXPECT_THAT(found.changed.at(0).changes,
                ElementsAre(change{"apps.shop.token.source", "stable", "shared"},
                            change{"apps.shop.token.refresh_before", "null", "5m"},
                            change{"apps.shop.token.url", "", ""}, change{"apps.shop.token.secret", "none", "none"},
                            change{"apps.shop.token.min_interval", "1s", "2s"}));
}

TEST(difference, another_account_is_another_app)
{
    EXPECT_TRUE(after([](settings& wanted) { wanted.apps[0].appid = "wx-other"; }).changed.at(0).identity);
    EXPECT_TRUE(after([](settings& wanted) { wanted.apps[0].type = app_type::mini_program; }).changed.at(0).identity);
}

TEST(difference, retry_and_log_are_followed)
{
    const auto found = after([](settings& wanted) {
        wanted.delivery.retry = {1s, 2min, 3h, {10s, std::nullopt}};
        wanted.log = {log::level::debug, log::format::json};
    });
    EXPECT_THAT(found.retry,
                ElementsAre(change{"delivery.retry.initial", "200ms", "1s"}, change{"delivery.retry.max", "1m", "2m"},
                            change{"delivery.retry.give_up_after", "6h", "3h"},
                            change{"delivery.retry.network.max", "null", "10s"}));
    EXPECT_THAT(found.log, ElementsAre(change{"log.level", "info", "debug"}, change{"log.format", "text", "json"}));
    EXPECT_THAT(found.needs_restart, IsEmpty());
    EXPECT_FALSE(found.nothing_to_follow());
}

TEST(difference, every_other_key_needs_a_restart_and_is_named)
{
    struct fixed {
        const char* key;
        std::function<void(settings&)> changed;
    };
    const std::vector<fixed> all{
        {"kafka.bootstrap_servers", [](settings& to) { to.kafka.bootstrap_servers = "other:9092"; }},
        {"kafka.group_id", [](settings& to) { to.kafka.group_id = "other"; }},
        {"kafka.start", [](settings& to) { to.kafka.start = start_position::latest; }},
        {"kafka.properties.sasl.password", [](settings& to) { to.kafka.properties["sasl.password"] = secret("x"); }},
        {"topics.jobs", [](settings& to) { to.topics.jobs[0].apps = {"shop"}; }},
        {"topics.status", [](settings& to) { to.topics.status = "other"; }},
        {"topics.dead_letter", [](settings& to) { to.topics.dead_letter = "other"; }},
        {"topics.delayed", [](settings& to) { to.topics.delayed = "other"; }},
        {"topics.tokens", [](settings& to) { to.topics.tokens = "other"; }},
        {"topics.fleet", [](settings& to) { to.topics.fleet = "other"; }},
        {"topics.create", [](settings& to) { to.topics.create = topic_creation{}; }},
        {"wechat.base_urls", [](settings& to) { to.wechat.base_urls = {"https://other"}; }},
        {"wechat.ca_file", [](settings& to) { to.wechat.ca_file = "other"; }},
        {"wechat.connect_timeout", [](settings& to) { to.wechat.connect_timeout = 1s; }},
        {"wechat.request_timeout", [](settings& to) { to.wechat.request_timeout = 1s; }},
        {"delivery.guarantee", [](settings& to) { to.delivery.guarantee = guarantee::at_most_once; }},
        {"delivery.ordering", [](settings& to) { to.delivery.ordering = ordering::key; }},
        {"delivery.on_unknown", [](settings& to) { to.delivery.on_unknown = on_unknown::report; }},
        {"delivery.max_age", [](settings& to) { to.delivery.max_age = std::nullopt; }},
        {"delivery.max_delay", [](settings& to) { to.delivery.max_delay = 1s; }},
        {"delivery.commit_interval", [](settings& to) { to.delivery.commit_interval = 1s; }},
        {"delivery.revoke_timeout", [](settings& to) { to.delivery.revoke_timeout = 1s; }},
        {"delivery.drain_timeout", [](settings& to) { to.delivery.drain_timeout = 1s; }},
        {"delivery.dry_run", [](settings& to) { to.delivery.dry_run = true; }},
        {"token_key", [](settings& to) { to.token_key = secret("other"); }},
        {"http", [](settings& to) { to.http.port = 1; }},
        {"admin", [](settings& to) { to.admin.token = secret("other"); }},
    };
    for (const auto& each : all) {
        const auto found = after(each.changed);
        EXPECT_THAT(found.needs_restart, ElementsAre(each.key));
        EXPECT_TRUE(found.nothing_to_follow()) << each.key;
    }
}

TEST(difference, what_needs_a_restart_stays_as_it_is_and_is_named_again)
{
    auto wanted = good();
    wanted.kafka.group_id = "other";
    wanted.apps.push_back(app_named("new"));
    wanted.delivery.retry.max = 5min;
    wanted.delivery.dry_run = true;
    wanted.log.level = log::level::warn;
    const auto now = followed(good(), wanted);
    EXPECT_EQ(now.kafka.group_id, "wxcourier");
    EXPECT_FALSE(now.delivery.dry_run);
    const auto left = compare(now, wanted);
    EXPECT_TRUE(left.nothing_to_follow());
    EXPECT_THAT(left.needs_restart, ElementsAre("kafka.group_id", "delivery.dry_run"));
}

} // namespace
} // namespace wxcourier::config
