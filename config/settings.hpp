// SPDX-License-Identifier: Apache-2.0
/// @file
/// The configuration as the program sees it: typed, checked, with the defaults of docs/reference.md. `load.hpp` makes
/// it from YAML. Durations are greater than zero unless a line says what zero means.
#pragma once

#include "common/log.hpp"
#include "common/secret.hpp"
#include "common/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::config {

/// What a group without a commit starts at. Never librdkafka's own default, which skips what is queued.
enum class start_position : std::uint8_t { earliest, latest, error };

struct kafka_settings {
    std::string bootstrap_servers;
    std::string group_id = "wxcourier";
    start_position start = start_position::earliest;
    /// librdkafka properties handed on; values may be secrets (SASL passwords).
    std::map<std::string, secret> properties;

    bool operator==(const kafka_settings&) const = default;
};

struct jobs_topic {
    std::string name;
    std::vector<std::string> apps; ///< Apps whose jobs may come over this topic; empty: all.

    bool operator==(const jobs_topic&) const = default;
};

struct topic_creation {
    int partitions = 12;
    int replication = -1; ///< -1: the broker's default.

    bool operator==(const topic_creation&) const = default;
};

struct topic_settings {
    std::vector<jobs_topic> jobs = {{"push.jobs", {}}};
    std::string status = "push.status";
    std::string dead_letter = "push.dead";
    std::string delayed = "push.delayed"; ///< Prefix of `.1m`, `.10m` and `.1h`.
    std::string tokens = "push.tokens";
    std::string fleet = "push.fleet";
    std::optional<topic_creation> create; ///< Empty: a missing topic is waited for, not created.

    bool operator==(const topic_settings&) const = default;
};

struct wechat_settings {
    std::vector<std::string> base_urls = {"https://api.weixin.qq.com"}; ///< Failed over in this order.
    std::optional<std::string> ca_file;                                 ///< Empty: the system's trust store.
    milliseconds connect_timeout{3000};  ///< Resolve, connect and TLS handshake together.
    milliseconds request_timeout{10000}; ///< One attempt, from its first byte to the answer's last.

    bool operator==(const wechat_settings&) const = default;
};

/// Where a secret came from, so that it can be read again (files are watched for rotation).
struct secret_source {
    enum class kind : std::uint8_t { none, environment, file, value } from = kind::none;
    std::string name; ///< The variable or the path; empty for `value`.

    bool operator==(const secret_source&) const = default;
};

enum class app_type : std::uint8_t { official_account, mini_program };
enum class token_source : std::uint8_t { stable, classic, shared };

/// A company's own token server, for `token: {source: shared, …}`.
struct shared_token_settings {
    std::string url;    ///< https, or http to a loopback address.
    std::string header; ///< Name of the header that carries `secret`; empty: none.
    secret header_value;
    secret_source header_source;
    std::string path = "access_token";  ///< Where the token stands in the JSON reply, dots between members.
    std::string expires_path;           ///< Where its seconds left stand; empty: `expires_in` beside the token.
    std::optional<std::string> ca_file; ///< Empty: the system's trust store.
    milliseconds min_interval{1000};    ///< Between two calls, at least.

    bool operator==(const shared_token_settings&) const = default;
};

struct token_settings {
    token_source source = token_source::stable;
    /// How long before its expiry a token is renewed: classic 10 min; a stable token is renewed as soon as WeChat
    /// gives a new one (5 min before).
    std::optional<milliseconds> refresh_before;
    shared_token_settings shared; ///< Only for `shared`.

    bool operator==(const token_settings&) const = default;
};

/// The day's quota of an app, for each of WeChat's calls by itself, as WeChat counts.
struct quota_settings {
    std::optional<int> daily; ///< Messages a day (UTC+8), at most, over the whole group. Empty: what WeChat says.
    int reserve_percent = 0;  ///< The part of it that only messages of high priority may use. 0 to 90.

    bool operator==(const quota_settings&) const = default;
};

/// Against harassment: how many messages one recipient gets from an app, at most.
struct recipient_settings {
    int max = 1;                             ///< At least 1.
    milliseconds window{24LL * 3600 * 1000}; ///< In any span of this length.

    bool operator==(const recipient_settings&) const = default;
};

struct app_settings {
    std::string name;
    app_type type = app_type::official_account;
    std::string appid;
    secret app_secret;
    secret_source app_secret_source;
    token_settings token;
    double rate_per_second = 200; ///< For the whole consumer group. Greater than zero.
    double rate_burst = 50;       ///< At least 1.
    int concurrency = 256;        ///< Requests in flight for this process, at most. At least 1.
    quota_settings quota;
    int weight =
        1; ///< Its part of the senders, compared with other apps', when they want more than there is. 1 to 100.
    std::optional<recipient_settings> per_recipient; ///< Empty: no limit.

    bool operator==(const app_settings&) const = default;
};

enum class guarantee : std::uint8_t { at_least_once, at_most_once };
enum class ordering : std::uint8_t { none, key };
enum class on_unknown : std::uint8_t { retry, report };

/// Limits of one class of failures; empty: as for all.
struct retry_class_settings {
    std::optional<milliseconds> max{};
    std::optional<milliseconds> give_up_after{};

    bool operator==(const retry_class_settings&) const = default;
};

struct retry_settings {
    milliseconds initial{200};
    milliseconds max{60'000};
    milliseconds give_up_after{6 * 3600 * 1000};
    retry_class_settings network{};   ///< No answer.
    retry_class_settings busy{};      ///< WeChat answers that it cannot.
    retry_class_settings recipient{}; ///< WeChat holds messages to the recipient back.

    bool operator==(const retry_settings&) const = default;
};

struct delivery_settings {
    config::guarantee guarantee = guarantee::at_least_once;
    config::ordering ordering = ordering::none;
    config::on_unknown on_unknown = on_unknown::retry;
    retry_settings retry;
    std::optional<milliseconds> max_age = milliseconds{48LL * 3600 * 1000}; ///< Empty: no limit.
    milliseconds max_delay{7LL * 24 * 3600 * 1000};
    milliseconds commit_interval{25};
    milliseconds revoke_timeout{12'000};
    milliseconds drain_timeout{20'000};
    bool dry_run = false;

    bool operator==(const delivery_settings&) const = default;
};

struct listen_address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080; ///< 0 takes a free one.

    bool operator==(const listen_address&) const = default;
};

/// A shorter admin token is refused.
inline constexpr std::size_t shortest_admin_token = 16;

struct admin_settings {
    std::optional<listen_address> listen; ///< Empty: off.
    secret token;
    secret_source token_source{}; ///< Where it was read from.

    bool operator==(const admin_settings&) const = default;
};

struct log_settings {
    log::level level = log::level::info;
    log::format format = log::format::text;

    bool operator==(const log_settings&) const = default;
};

struct settings {
    kafka_settings kafka;
    topic_settings topics;
    wechat_settings wechat;
    std::vector<app_settings> apps; ///< At least one; names are unique.
    delivery_settings delivery;
    secret token_key; ///< 32 bytes, decoded; empty when not set.
    listen_address http;
    admin_settings admin;
    log_settings log;

    bool operator==(const settings&) const = default;
};

} // namespace wxcourier::config
