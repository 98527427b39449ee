// SPDX-License-Identifier: Apache-2.0
#include "app/settings_mapping.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include <unistd.h>

namespace wxcourier::app {
namespace {

/// At 2,000 pushes a second this saves 9 % of the CPU, and the broker has fewer requests; twice as long saves no more
/// (docs/performance.md).
constexpr milliseconds gather_statuses{25};

/// More connections than any sane `concurrency` asks for: what one process may hold open, all apps together.
constexpr std::size_t most_connections = 16'384;

domain::app_type app_type_of(config::app_type type)
{
    return type == config::app_type::official_account ? domain::app_type::official_account
                                                      : domain::app_type::mini_program;
}

domain::token_plan_limits token_limits_of(const config::token_settings& token)
{
    domain::token_plan_limits limits;
    switch (token.source) {
    case config::token_source::stable:
        break;
    case config::token_source::classic:
        limits.origin = domain::token_origin::classic;
        limits.renew_before = std::chrono::minutes{10};
        break;
    case config::token_source::shared:
        limits.origin = domain::token_origin::shared;
        limits.calls_apart = token.shared.min_interval;
        break;
    }
    if (token.refresh_before)
        limits.renew_before = std::chrono::ceil<seconds>(*token.refresh_before);
    return limits;
}

std::size_t concurrency_of(const config::settings& settings)
{
    std::size_t sum = 0;
    for (const auto& app : settings.apps)
        sum += static_cast<std::size_t>(app.concurrency);
    return sum;
}

/// How long a record on a delayed topic is kept: as long as a job may wait, and what the group may be away on top.
std::string delayed_retention(const config::settings& settings)
{
    constexpr std::chrono::hours spare{7 * 24};
    return std::to_string((settings.delivery.max_delay + milliseconds(spare)).count());
}

/// A name that no other run of a process has.
std::string member_id(const std::string& worker)
{
    std::random_device random;
    std::array<char, 33> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x%08x%08x", random(), random(), random(), random());
    return worker + '-' + text.data();
}

engine::fleet_options fleet_options_of(const config::settings& settings, const std::string& worker)
{
    engine::fleet_options fleet;
    fleet.fleet_topic = settings.topics.fleet;
    fleet.tokens_topic = settings.topics.tokens;
    fleet.leading_topic = settings.topics.jobs.front().name;
    fleet.member = member_id(worker);
    fleet.token_key = settings.token_key;
    fleet.call_timeout = settings.wechat.connect_timeout + settings.wechat.request_timeout;
    return fleet;
}

} // namespace

engine::app_options app_options_of(const config::app_settings& app)
{
    engine::app_options mapped;
    mapped.name = app.name;
    mapped.type = app_type_of(app.type);
    mapped.appid = app.appid;
    mapped.app_secret = app.app_secret;
    mapped.token = token_limits_of(app.token);
    mapped.limits.rate_per_second = app.rate_per_second;
    mapped.limits.burst = app.rate_burst;
    mapped.limits.concurrency = static_cast<std::size_t>(app.concurrency);
    if (app.quota.daily)
        mapped.limits.quota.daily = static_cast<std::uint64_t>(*app.quota.daily);
    mapped.limits.quota.reserve_percent = static_cast<unsigned>(app.quota.reserve_percent);
    mapped.limits.weight = static_cast<std::uint32_t>(app.weight);
    if (const auto& limit = app.per_recipient)
        mapped.limits.per_recipient = {static_cast<std::uint32_t>(limit->max), limit->window};
    return mapped;
}

std::array<domain::class_limits, domain::retry_class_count> class_limits_of(const config::retry_settings& retry)
{
    const auto mapped = [](const config::retry_class_settings& each) {
        return domain::class_limits{each.max, each.give_up_after};
    };
    return {mapped(retry.network), mapped(retry.busy), mapped(retry.recipient)}; // as retry_class has them
}

engine::admission_limits admission_of(const config::settings& settings)
{
    engine::admission_limits limits;
    // Room for what is under way and as much again that waits for its rate, within the bound on bytes; and for what an
    // app that is slow sends in the time after which its jobs come back from the shortest delayed topic.
    limits.messages = std::clamp<std::size_t>(concurrency_of(settings) * 4, 16'384, 65'536);
    return limits;
}

engine::engine_options engine_options_of(const config::settings& settings, std::string worker, std::string seat)
{
    engine::engine_options options;
    options.worker = std::move(worker);
    for (const auto& app : settings.apps)
        options.apps.push_back(app_options_of(app));
    options.fleet = fleet_options_of(settings, options.worker);
    options.fleet->seat = std::move(seat);
    options.status_topic = settings.topics.status;
    options.dead_letter_topic = settings.topics.dead_letter;
    for (const auto& topic : settings.topics.jobs)
        if (!topic.apps.empty())
            options.topic_apps.emplace(topic.name, topic.apps);
    options.delayed.topics = delayed_topics_of(settings);
    options.delayed.moves = settings.delivery.ordering == config::ordering::none;
    const auto& delivery = settings.delivery;
    options.delivery.retry = {delivery.retry.initial, delivery.retry.max};
    options.delivery.give_up_after = delivery.retry.give_up_after;
    options.delivery.per_class = class_limits_of(delivery.retry);
    options.delivery.at_most_once = delivery.guarantee == config::guarantee::at_most_once;
    options.delivery.report_unknown = delivery.on_unknown == config::on_unknown::report;
    options.max_age = delivery.max_age;
    options.max_delay = delivery.max_delay;
    options.commit_interval = delivery.commit_interval;
    options.gather_statuses = gather_statuses;
    options.revoke_timeout = delivery.revoke_timeout;
    options.dry_run = delivery.dry_run;
    options.admission = admission_of(settings);
    options.ordered_by_key = delivery.ordering == config::ordering::key;
    if (options.ordered_by_key) // the next owner sends the next job of a key: no request may be under way by then
        options.revoke_timeout = std::max(options.revoke_timeout, settings.wechat.connect_timeout +
                                                                      settings.wechat.request_timeout + seconds{1});
    return options;
}

kafka::client_settings kafka_client_of(const config::settings& settings)
{
    kafka::client_settings client;
    client.bootstrap_servers = settings.kafka.bootstrap_servers;
    client.properties = settings.kafka.properties;
    return client;
}

kafka::consumer_settings consumer_of(const config::settings& settings)
{
    kafka::consumer_settings consumer;
    consumer.client = kafka_client_of(settings);
    consumer.group_id = settings.kafka.group_id;
    for (const auto& topic : settings.topics.jobs)
        consumer.topics.push_back(topic.name);
    for (const auto& topic : delayed_topics_of(settings)) {
        consumer.topics.push_back(topic.name);
        consumer.read_from_start.push_back(topic.name);
    }
    switch (settings.kafka.start) {
    case config::start_position::earliest:
        consumer.start = kafka::start_position::earliest;
        break;
    case config::start_position::latest:
        consumer.start = kafka::start_position::latest;
        break;
    case config::start_position::error:
        consumer.start = kafka::start_position::error;
        break;
    }
    return consumer;
}

kafka::producer_settings producer_of(const config::settings& settings)
{
    kafka::producer_settings producer{kafka_client_of(settings),
                                      {settings.topics.status, settings.topics.dead_letter, settings.topics.fleet}};
    for (const auto& topic : delayed_topics_of(settings))
        producer.topics.push_back(topic.name);
    if (shares_tokens(settings))
        producer.topics.push_back(settings.topics.tokens);
    return producer;
}

wechat::client_settings wechat_client_of(const config::settings& settings)
{
    wechat::client_settings client;
    client.base_urls = settings.wechat.base_urls;
    client.ca_file = settings.wechat.ca_file.value_or("");
    client.connect_timeout = settings.wechat.connect_timeout;
    client.request_timeout = settings.wechat.request_timeout;
    // A connection for every request that may be under way, and a few for token calls.
    client.max_connections = std::min(concurrency_of(settings) + settings.apps.size() + 1, most_connections);
    client.max_idle = client.max_connections;
    return client;
}

wechat::shared_token_settings shared_token_of(const config::settings& settings, const config::app_settings& app)
{
    const auto& token = app.token.shared;
    wechat::shared_token_settings shared;
    shared.url = token.url;
    shared.header = token.header;
    shared.header_value = token.header_value;
    shared.path = token.path;
    shared.expires_path = token.expires_path;
    shared.client.ca_file = token.ca_file.value_or("");
    shared.client.connect_timeout = settings.wechat.connect_timeout;
    shared.client.request_timeout = settings.wechat.request_timeout;
    return shared;
}

bool shares_tokens(const config::settings& settings)
{
    return !settings.token_key.empty();
}

std::vector<engine::delayed_options::topic> delayed_topics_of(const config::settings& settings)
{
    using namespace std::chrono_literals;
    return {{settings.topics.delayed + ".1m", 1min},
            {settings.topics.delayed + ".10m", 10min},
            {settings.topics.delayed + ".1h", 1h}};
}

std::vector<std::string> topics_of(const config::settings& settings)
{
    std::vector<std::string> topics;
    topics.reserve(settings.topics.jobs.size() + 4);
    for (const auto& topic : settings.topics.jobs)
        topics.push_back(topic.name);
    topics.push_back(settings.topics.status);
    topics.push_back(settings.topics.dead_letter);
    for (const auto& topic : delayed_topics_of(settings))
        topics.push_back(topic.name);
    topics.push_back(settings.topics.fleet);
    if (shares_tokens(settings))
        topics.push_back(settings.topics.tokens);
    return topics;
}

kafka::topic_specification specification_of(const config::settings& settings, const std::string& topic)
{
    const auto& create = *settings.topics.create;
    if (topic == settings.topics.fleet) // one partition: one order. All of an hour, and of what is older the last words
        return {topic,
                1,
                create.replication,
                {{"cleanup.policy", "compact"}, {"min.compaction.lag.ms", "3600000"}, {"segment.ms", "600000"}}};
    if (topic == settings.topics.tokens)
        return {topic, 1, create.replication, {{"cleanup.policy", "compact"}, {"segment.ms", "3600000"}}};
    const auto delayed = delayed_topics_of(settings);
    if (std::any_of(delayed.begin(), delayed.end(), [&topic](const auto& each) { return each.name == topic; }))
        return {topic, create.partitions, create.replication, {{"retention.ms", delayed_retention(settings)}}};
    return {topic, create.partitions, create.replication, {}};
}

std::string instance_id()
{
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0)
        return "wxcourier-" + std::to_string(getpid());
    return std::string(host.data()) + '-' + std::to_string(getpid());
}

} // namespace wxcourier::app
