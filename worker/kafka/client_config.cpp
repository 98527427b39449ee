// SPDX-License-Identifier: Apache-2.0
#include "kafka/client_config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wxcourier::kafka {
namespace {

/// Properties whose value must not be repeated, not even in librdkafka's complaint about it.
bool is_sensitive(std::string_view name)
{
    constexpr std::array<std::string_view, 7> parts = {"password", "secret",  "pem",    "oauthbearer",
                                                       "username", "private", "ssl.key"};
    return std::any_of(parts.begin(), parts.end(),
                       [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

void set_property(rd_kafka_conf_t* conf, const std::string& name, const std::string& value)
{
    std::array<char, 512> text{};
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size()) == RD_KAFKA_CONF_OK) {
        return;
    }
    if (is_sensitive(name)) {
        throw configuration_error("Kafka property " + name + ": librdkafka refuses its value (not shown)");
    }
    throw configuration_error("Kafka property " + name + ": " + text.data());
}

} // namespace

conf_handle make_conf(const client_settings& settings, std::initializer_list<property> defaults,
                      std::initializer_list<property> owned, int events)
{
    conf_handle conf(rd_kafka_conf_new());
    set_property(conf.get(), "client.id", settings.client_id);
    // A worker that idles behind a NAT or a load balancer finds out that its connection has gone; small requests
    // (commits, heartbeats, statuses) do not wait for Nagle, which librdkafka leaves on before 2.10.
    set_property(conf.get(), "socket.keepalive.enable", "true");
    set_property(conf.get(), "socket.nagle.disable", "true");
    // A topic that is created, or grows, is noticed within this time instead of five minutes; so is the next leader of
    // a partition whose broker died or froze: librdkafka asks at once, when the cluster has not chosen one yet, and
    // then no sooner than this.
    set_property(conf.get(), "topic.metadata.refresh.interval.ms", "3000");
    // A broker that hangs, instead of dying, is given up after this time; librdkafka's minute is much longer than
    // a cluster needs to find other leaders.
    set_property(conf.get(), "socket.timeout.ms", "6000");
    // So is one that takes a connection and then says nothing: to the group's coordinator this stands in the way of
    // the next one.
    set_property(conf.get(), "api.version.request.timeout.ms", "3000");
    set_property(conf.get(), "reconnect.backoff.max.ms", "5000");
    // Brokers close idle connections: nothing anybody has to read about.
    set_property(conf.get(), "log.connection.close", "false");
    for (const auto& [name, value] : defaults) {
        if (!value.empty()) {
            set_property(conf.get(), name, value);
        }
    }
    for (const auto& [name, value] : settings.properties) {
        set_property(conf.get(), name, std::string(value.reveal()));
    }
    set_property(conf.get(), "bootstrap.servers", settings.bootstrap_servers);
    set_property(conf.get(), "log.queue", "true");
    for (const auto& [name, value] : owned) {
        set_property(conf.get(), name, value);
    }
    rd_kafka_conf_set_events(conf.get(), events);
    return conf;
}

client_handle open_client(rd_kafka_type_t type, conf_handle conf)
{
    std::array<char, 512> text{};
    rd_kafka_t* opened = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (opened == nullptr) {
        throw configuration_error(std::string("Kafka client: ") + text.data());
    }
    // Not released earlier: a configuration belongs to the client only once that has been made.
    static_cast<void>(conf.release());
    // Leaving the group is job_consumer::close's; here it would block, waiting for events that nobody serves.
    return {opened, [](rd_kafka_t* owned) { rd_kafka_destroy_flags(owned, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }};
}

std::string describe(rd_kafka_resp_err_t error)
{
    return std::string(rd_kafka_err2name(error)) + ": " + rd_kafka_err2str(error);
}

} // namespace wxcourier::kafka
