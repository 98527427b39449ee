// SPDX-License-Identifier: Apache-2.0
#include "config/sections.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace wxcourier::config {

namespace {

constexpr std::string_view expected_jobs = "a list of topics, such as [push.jobs]";
constexpr std::size_t longest_topic = 249;
constexpr std::array<std::string_view, 3> delayed_suffixes{".1m", ".10m", ".1h"};

/// A topic that a setting names, kept so that no two settings name the same one.
struct named_topic {
    std::string name;
    setting from;
};

/// The rule of Kafka's own. False: absent, or a finding was made.
bool read_topic_name(const setting& from, std::string& into, std::size_t longest = longest_topic)
{
    const auto name = from.text("a topic's name");
    if (!name)
        return false;
    static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (name->size() > longest || name->find_first_not_of(allowed) != std::string::npos || *name == "." ||
        *name == "..")
    {
        from.error("is " + from.shown() + ", expected 1 to " + std::to_string(longest) + " of A-Z a-z 0-9 . _ -");
        return false;
    }
    into = *name;
    return true;
}

void read_allowed_apps(const setting& from, jobs_topic& into, const std::vector<app_settings>& apps)
{
    std::vector<std::string_view> known;
    known.reserve(apps.size());
    for (const auto& app : apps)
        known.emplace_back(app.name);
    const auto items = from.items("a list of apps' names");
    if (from.is(yaml_node::kind::sequence) && items.empty())
        from.error("is an empty list, expected an app's name, or the key left out for all apps");
    for (const auto& item : items) {
        const auto name = item.text("an app's name");
        if (!name)
            continue;
        if (std::find(known.begin(), known.end(), *name) != known.end()) {
            into.apps.push_back(*name);
            continue;
        }
        const auto meant = nearest(*name, known);
        item.error("is " + item.shown() + ", which is no app's name, " +
                   (meant.empty() ? "expected one of those under apps" : "did you mean " + in_quotes(meant) + "?"));
    }
}

void read_jobs(const setting& from, std::vector<jobs_topic>& into, std::vector<named_topic>& taken,
               const std::vector<app_settings>& apps)
{
    if (!from.given()) {
        for (const auto& topic : into)
            taken.push_back({topic.name, from});
        return;
    }
    const auto items = from.items(expected_jobs);
    if (from.is(yaml_node::kind::sequence) && items.empty())
        from.error("is an empty list, expected " + std::string{expected_jobs});
    into.clear();
    for (const auto& item : items) {
        jobs_topic topic;
        if (item.is(yaml_node::kind::mapping)) {
            mapping::read(item, [&](mapping& keys) {
                const auto name = keys.required("name", "a topic's name");
                if (read_topic_name(name, topic.name))
                    taken.push_back({topic.name, name});
                read_allowed_apps(keys["apps"], topic, apps);
            });
        } else if (read_topic_name(item, topic.name)) {
            taken.push_back({topic.name, item});
        }
        into.push_back(std::move(topic));
    }
}

/// Two settings that name one topic would feed statuses in as jobs, or mix record formats.
void check_distinct(const std::vector<named_topic>& taken)
{
    for (auto later = taken.begin(); later != taken.end(); ++later) {
        const auto earlier =
            std::find_if(taken.begin(), later, [&](const auto& each) { return each.name == later->name; });
        if (earlier == later)
            continue;
        // A default has no place: the finding goes to the one that stands in the file.
        const auto& said = later->from.given() ? *later : *earlier;
        const auto& other = later->from.given() ? *earlier : *later;
        said.from.error("names a topic that " + other.from.path() + " takes already, expected one of its own");
    }
}

void read_create(const setting& from, std::optional<topic_creation>& into)
{
    if (!from.given() || from.is(yaml_node::kind::null))
        return;
    if (!from.is(yaml_node::kind::mapping)) {
        bool wanted = false;
        from.read(wanted, "null, true or {partitions: 12, replication: -1}");
        if (wanted)
            into = topic_creation{};
        return;
    }
    topic_creation creation;
    mapping::read(from, [&](mapping& keys) {
        keys["partitions"].read(creation.partitions, 1, 10'000);
        const auto replication = keys["replication"];
        replication.read(creation.replication, -1, std::numeric_limits<std::int16_t>::max());
        if (creation.replication == 0)
            replication.error("is 0, expected a number of replicas, or -1 for the broker's default");
    });
    into = creation;
}

} // namespace

void read_topics(mapping& keys, topic_settings& into, const std::vector<app_settings>& apps)
{
    std::vector<named_topic> taken;
    read_jobs(keys["jobs"], into.jobs, taken, apps);
    const auto read_name = [&](std::string_view key, std::string& name) {
        const auto from = keys[key];
        read_topic_name(from, name);
        taken.push_back({name, from});
    };
    read_name("status", into.status);
    read_name("dead_letter", into.dead_letter);
    const auto delayed = keys["delayed"];
    read_topic_name(delayed, into.delayed, longest_topic - delayed_suffixes[1].size());
    for (const auto suffix : delayed_suffixes)
        taken.push_back({into.delayed + std::string{suffix}, delayed});
    read_name("tokens", into.tokens);
    read_name("fleet", into.fleet);
    check_distinct(taken);
    read_create(keys["create"], into.create);
}

} // namespace wxcourier::config
