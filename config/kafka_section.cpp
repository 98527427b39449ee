// SPDX-License-Identifier: Apache-2.0
#include "config/network_address.hpp"
#include "config/secret_setting.hpp"
#include "config/sections.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wxcourier::config {

namespace {

constexpr std::string_view expected_brokers = "brokers as HOST:PORT,HOST:PORT";

/// A librdkafka property that delivery rests on. `prefix`: every property that begins so.
struct owned_property {
    std::string_view name;
    bool prefix;
    std::string_view instead;
};

// metadata.broker.list, request.required.acks and auto.commit.* are librdkafka's other names for the same.
constexpr std::array<owned_property, 10> owned_properties{{
    {"enable.auto.", true, "expected it left out"},
    {"auto.commit.", true, "expected it left out"},
    {"auto.offset.reset", false, "expected kafka.start"},
    {"isolation.level", false, "expected it left out"},
    {"acks", false, "expected it left out"},
    {"request.required.acks", false, "expected it left out"},
    {"enable.idempotence", false, "expected it left out"},
    {"group.id", false, "expected kafka.group_id"},
    {"bootstrap.servers", false, "expected kafka.bootstrap_servers"},
    {"metadata.broker.list", false, "expected kafka.bootstrap_servers"},
}};

/// Properties that hold secrets, so that one in plain text can be warned of.
constexpr std::array<std::string_view, 6> sensitive_properties{"sasl.password",
                                                               "ssl.key.password",
                                                               "ssl.keystore.password",
                                                               "ssl.key.pem",
                                                               "sasl.oauthbearer.client.secret",
                                                               "sasl.oauthbearer.config"};

bool is_broker(std::string_view text)
{
    if (const auto protocol = text.find("://"); protocol != std::string_view::npos)
        text.remove_prefix(protocol + 3);
    const bool has_port = text.find(':', text.starts_with('[') ? text.find(']') : 0) != std::string_view::npos;
    const auto address = parse_listen_address(has_port ? std::string{text} : std::string{text} + ":9092");
    return address && address->port != 0;
}

void read_brokers(const setting& from, std::string& into)
{
    const auto text = from.text(expected_brokers);
    if (!text)
        return;
    for (std::size_t start = 0; start <= text->size();) {
        const auto comma = std::min(text->find(',', start), text->size());
        const auto broker = std::string_view{*text}.substr(start, comma - start);
        const auto first = broker.find_first_not_of(' ');
        const auto trimmed = first == std::string_view::npos
                                 ? std::string_view{}
                                 : broker.substr(first, broker.find_last_not_of(' ') - first + 1);
        if (!is_broker(trimmed)) {
            from.error("is " + from.shown() + ", expected " + std::string{expected_brokers});
            return;
        }
        start = comma + 1;
    }
    into = *text;
}

/// False: a finding was made. It does not show a name of another shape, which may be half a password.
bool check_property_name(const mapping::entry& entry)
{
    auto& found = entry.value.context().found;
    if (entry.key.empty() ||
        entry.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") != std::string::npos)
    {
        found.error(entry.at, "not the name of a librdkafka property, expected lower-case letters, digits and dots");
        return false;
    }
    const auto owned = std::find_if(owned_properties.begin(), owned_properties.end(), [&](const auto& each) {
        return each.prefix ? entry.key.starts_with(each.name) : entry.key == each.name;
    });
    if (owned == owned_properties.end())
        return true;
    found.error(entry.at,
                "the property " + in_quotes(entry.key) + " is set by wxcourier itself, " + std::string{owned->instead});
    return false;
}

std::optional<secret> read_property(const mapping::entry& entry)
{
    if (!entry.value.is(yaml_node::kind::mapping)) {
        auto text = entry.value.raw_text("a value, {env: NAME} or {file: PATH}");
        if (!text)
            return std::nullopt;
        if (text->find('\0') != std::string::npos) {
            entry.value.error("holds a NUL character, expected text");
            return std::nullopt;
        }
        if (std::find(sensitive_properties.begin(), sensitive_properties.end(), entry.key) !=
            sensitive_properties.end())
            entry.value.warning("holds the secret itself, expected {env: NAME} or {file: PATH}");
        return secret{std::move(*text)};
    }
    const auto reference = read_secret_reference(entry.value, inline_value::refused);
    return reference ? fetch_secret(*reference, secret_owner::kafka_client) : std::nullopt;
}

/// Has the client library look at a property. False: a finding was made.
bool check_property(const mapping::entry& entry, const secret& value)
{
    auto& context = entry.value.context();
    if (!context.check_property)
        return true;
    const bool not_read = value.empty() && context.want == secrets::ignored;
    switch (context.check_property(entry.key, not_read ? std::nullopt : std::optional{value.reveal()})) {
    case property_verdict::good:
        return true;
    case property_verdict::unknown_name:
        context.found.error(entry.at, "unknown property " + in_quotes(entry.key) + ", expected one of librdkafka's");
        return false;
    case property_verdict::bad_value:
        entry.value.error("has a value that librdkafka refuses, expected one its CONFIGURATION.md allows");
        return false;
    }
    return true;
}

} // namespace

void read_kafka(mapping& keys, kafka_settings& into)
{
    read_brokers(keys.required("bootstrap_servers", expected_brokers), into.bootstrap_servers);
    keys["group_id"].read(into.group_id, "the name of a consumer group");
    keys["start"].choose<start_position>(
        into.start,
        {{"earliest", start_position::earliest}, {"latest", start_position::latest}, {"error", start_position::error}});
    mapping::read(keys["properties"], [&](mapping& properties) {
        for (const auto& entry : properties.entries())
            if (check_property_name(entry))
                if (auto value = read_property(entry); value && check_property(entry, *value))
                    into.properties.emplace(entry.key, std::move(*value));
    });
}

} // namespace wxcourier::config
