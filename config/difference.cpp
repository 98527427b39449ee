// SPDX-License-Identifier: Apache-2.0
#include "config/difference.hpp"

#include "config/durations.hpp"
#include "config/secret_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace wxcourier::config {

namespace {

std::string shown(const std::string& text)
{
    return text;
}

std::string shown(int number)
{
    return std::to_string(number);
}

std::string shown(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", number);
    return text.data();
}

std::string shown(milliseconds time)
{
    return format_duration(time);
}

std::string shown(app_type type)
{
    return type == app_type::official_account ? "official_account" : "mini_program";
}

std::string shown(token_source source)
{
    static constexpr std::array<const char*, 3> names{"stable", "classic", "shared"};
    return names.at(static_cast<std::size_t>(source));
}

std::string shown(log::level level)
{
    static constexpr std::array<const char*, 6> names{"trace", "debug", "info", "warn", "error", "off"};
    return names.at(static_cast<std::size_t>(level));
}

std::string shown(log::format format)
{
    return format == log::format::json ? "json" : "text";
}

std::string shown(const secret_source& source)
{
    return source.from == secret_source::kind::none ? "none" : describe(source);
}

std::string shown(const recipient_settings& limit)
{
    return std::to_string(limit.max) + " in " + format_duration(limit.window);
}

template <typename T>
std::string shown(const std::optional<T>& value)
{
    return value ? shown(*value) : "null";
}

/// Gathers the changes under one path. Each call says whether there was one.
class change_list {
public:
    change_list(std::string path, std::vector<change>& into) : path_(std::move(path)), into_(into) {}

    template <typename T>
    bool look(std::string_view key, const T& before, const T& after)
    {
        if (before == after)
            return false;
        into_.push_back({path_ + std::string(key), shown(before), shown(after)});
        return true;
    }

    /// A value that may hold a secret.
    template <typename T>
    bool look_unseen(std::string_view key, const T& before, const T& after)
    {
        if (before == after)
            return false;
        into_.push_back({path_ + std::string(key), {}, {}});
        return true;
    }

    bool look_secret(std::string_view key, const secret& before, const secret_source& before_source,
                     const secret& after, const secret_source& after_source)
    {
        if (before == after && before_source == after_source)
            return false;
        into_.push_back({path_ + std::string(key), shown(before_source), shown(after_source)});
        return true;
    }

private:
    std::string path_;
    std::vector<change>& into_;
};

bool compare_tokens(change_list& list, const token_settings& before, const token_settings& after)
{
    bool differs = list.look("token.source", before.source, after.source);
    differs |= list.look("token.refresh_before", before.refresh_before, after.refresh_before);
    const auto& old = before.shared;
    const auto& now = after.shared;
    differs |= list.look_unseen("token.url", old.url, now.url);
    differs |= list.look("token.header", old.header, now.header);
    differs |=
        list.look_secret("token.secret", old.header_value, old.header_source, now.header_value, now.header_source);
    differs |= list.look("token.path", old.path, now.path);
    differs |= list.look("token.expires_path", old.expires_path, now.expires_path);
    differs |= list.look("token.ca_file", old.ca_file, now.ca_file);
    differs |= list.look("token.min_interval", old.min_interval, now.min_interval);
    return differs;
}

bool compare_limits(change_list& list, const app_settings& before, const app_settings& after)
{
    bool differs = list.look("rate.per_second", before.rate_per_second, after.rate_per_second);
    differs |= list.look("rate.burst", before.rate_burst, after.rate_burst);
    differs |= list.look("concurrency", before.concurrency, after.concurrency);
    differs |= list.look("quota.daily", before.quota.daily, after.quota.daily);
    differs |= list.look("quota.reserve_percent", before.quota.reserve_percent, after.quota.reserve_percent);
    differs |= list.look("weight", before.weight, after.weight);
    differs |= list.look("per_recipient", before.per_recipient, after.per_recipient);
    return differs;
}

app_difference compare_app(const app_settings& before, const app_settings& after)
{
    app_difference found{.name = after.name, .changes = {}};
    change_list list("apps." + after.name + '.', found.changes);
    found.identity = list.look("type", before.type, after.type);
    found.identity |= list.look("appid", before.appid, after.appid);
    found.secret = list.look_secret("secret", before.app_secret, before.app_secret_source, after.app_secret,
                                    after.app_secret_source);
    found.token = compare_tokens(list, before.token, after.token);
    found.limits = compare_limits(list, before, after);
    if (found.changes.empty() && !(before == after)) { // a key that nobody has added here: the careful way
        found.changes.push_back({"apps." + after.name, {}, {}});
        found.identity = true;
    }
    return found;
}

const app_settings* find_app(const settings& in, const std::string& name)
{
    const auto found =
        std::find_if(in.apps.begin(), in.apps.end(), [&name](const auto& each) { return each.name == name; });
    return found == in.apps.end() ? nullptr : &*found;
}

/// Gathers keys that differ and that only a restart reads.
class fixed_keys {
public:
    explicit fixed_keys(std::vector<std::string>& into) : into_(into) {}

    template <typename T>
    void look(std::string_view key, const T& before, const T& after)
    {
        if (!(before == after))
            into_.emplace_back(key);
    }

    /// A section: where none of its keys was named, the section is.
    template <typename T, typename F>
    void section(std::string_view name, const T& before, const T& after, F keys)
    {
        const auto known = into_.size();
        keys();
        if (!(before == after) && into_.size() == known)
            into_.emplace_back(name);
    }

private:
    std::vector<std::string>& into_;
};

void compare_properties(fixed_keys& keys, const std::map<std::string, secret>& before,
                        const std::map<std::string, secret>& after)
{
    std::map<std::string, std::pair<const secret*, const secret*>> both;
    for (const auto& [name, value] : before)
        both[name].first = &value;
    for (const auto& [name, value] : after)
        both[name].second = &value;
    for (const auto& [name, values] : both) {
        const auto [old, now] = values;
        keys.look("kafka.properties." + name, true, old != nullptr && now != nullptr && *old == *now);
    }
}

void compare_fixed(fixed_keys keys, const settings& old, const settings& now)
{
    keys.section("kafka", old.kafka, now.kafka, [&] {
        keys.look("kafka.bootstrap_servers", old.kafka.bootstrap_servers, now.kafka.bootstrap_servers);
        keys.look("kafka.group_id", old.kafka.group_id, now.kafka.group_id);
        keys.look("kafka.start", old.kafka.start, now.kafka.start);
        compare_properties(keys, old.kafka.properties, now.kafka.properties);
    });
    keys.section("topics", old.topics, now.topics, [&] {
        keys.look("topics.jobs", old.topics.jobs, now.topics.jobs);
        keys.look("topics.status", old.topics.status, now.topics.status);
        keys.look("topics.dead_letter", old.topics.dead_letter, now.topics.dead_letter);
        keys.look("topics.delayed", old.topics.delayed, now.topics.delayed);
        keys.look("topics.tokens", old.topics.tokens, now.topics.tokens);
        keys.look("topics.fleet", old.topics.fleet, now.topics.fleet);
        keys.look("topics.create", old.topics.create, now.topics.create);
    });
    keys.section("wechat", old.wechat, now.wechat, [&] {
        keys.look("wechat.base_urls", old.wechat.base_urls, now.wechat.base_urls);
        keys.look("wechat.ca_file", old.wechat.ca_file, now.wechat.ca_file);
        keys.look("wechat.connect_timeout", old.wechat.connect_timeout, now.wechat.connect_timeout);
        keys.look("wechat.request_timeout", old.wechat.request_timeout, now.wechat.request_timeout);
    });
    auto delivery = now.delivery; // but for what is followed
    delivery.retry = old.delivery.retry;
    keys.section("delivery", old.delivery, delivery, [&] {
        keys.look("delivery.guarantee", old.delivery.guarantee, delivery.guarantee);
        keys.look("delivery.ordering", old.delivery.ordering, delivery.ordering);
        keys.look("delivery.on_unknown", old.delivery.on_unknown, delivery.on_unknown);
        keys.look("delivery.max_age", old.delivery.max_age, delivery.max_age);
        keys.look("delivery.max_delay", old.delivery.max_delay, delivery.max_delay);
        keys.look("delivery.commit_interval", old.delivery.commit_interval, delivery.commit_interval);
        keys.look("delivery.revoke_timeout", old.delivery.revoke_timeout, delivery.revoke_timeout);
        keys.look("delivery.drain_timeout", old.delivery.drain_timeout, delivery.drain_timeout);
        keys.look("delivery.dry_run", old.delivery.dry_run, delivery.dry_run);
    });
    keys.look("token_key", old.token_key, now.token_key);
    keys.look("http", old.http, now.http);
    keys.look("admin", old.admin, now.admin);
}

} // namespace

difference compare(const settings& in_force, const settings& wanted)
{
    difference found;
    for (const auto& app : in_force.apps)
        if (find_app(wanted, app.name) == nullptr)
            found.removed.push_back(app.name);
    for (const auto& app : wanted.apps) {
        const auto* const before = find_app(in_force, app.name);
        if (before == nullptr)
            found.added.push_back(app.name);
        else if (auto changes = compare_app(*before, app); !changes.changes.empty())
            found.changed.push_back(std::move(changes));
    }
    change_list retry("delivery.retry.", found.retry);
    retry.look("initial", in_force.delivery.retry.initial, wanted.delivery.retry.initial);
    retry.look("max", in_force.delivery.retry.max, wanted.delivery.retry.max);
    retry.look("give_up_after", in_force.delivery.retry.give_up_after, wanted.delivery.retry.give_up_after);
    const auto look_at_class = [&retry](const std::string& name, const retry_class_settings& old,
                                        const retry_class_settings& now) {
        retry.look(name + ".max", old.max, now.max);
        retry.look(name + ".give_up_after", old.give_up_after, now.give_up_after);
    };
    look_at_class("network", in_force.delivery.retry.network, wanted.delivery.retry.network);
    look_at_class("busy", in_force.delivery.retry.busy, wanted.delivery.retry.busy);
    look_at_class("recipient", in_force.delivery.retry.recipient, wanted.delivery.retry.recipient);
    change_list log("log.", found.log);
    log.look("level", in_force.log.level, wanted.log.level);
    log.look("format", in_force.log.format, wanted.log.format);
    compare_fixed(fixed_keys(found.needs_restart), in_force, wanted);
    return found;
}

settings followed(settings in_force, const settings& wanted)
{
    in_force.apps = wanted.apps;
    in_force.delivery.retry = wanted.delivery.retry;
    in_force.log = wanted.log;
    return in_force;
}

} // namespace wxcourier::config
