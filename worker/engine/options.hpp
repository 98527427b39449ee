// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the engine is told at start; courier::add_app and the like change it while it runs. app maps the configuration
/// to it.
#pragma once

#include "codec/job_codec.hpp"
#include "common/secret.hpp"
#include "common/time.hpp"
#include "domain/breaker.hpp"
#include "domain/delivery_decision.hpp"
#include "domain/send_queue.hpp"
#include "domain/token_refresh_plan.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::engine {

struct app_options {
    std::string name;
    domain::app_type type = domain::app_type::official_account;
    std::string appid;
    secret app_secret;
    domain::token_plan_limits token;
    domain::app_limits limits;
    /// It was taken out of the configuration while the worker ran: its jobs in memory still end, and it gets no more.
    bool removed = false;
};

/// Bounds on what may be in memory. A job that arrives when a bound is reached stays in Kafka (backpressure).
struct admission_limits {
    std::size_t messages = 16'384;        ///< Messages admitted and not yet reported, for all apps.
    std::size_t bytes = 24 * 1024 * 1024; ///< Of their jobs, about.
    std::size_t fan_out_window = 256;     ///< Messages of one job with recipients at a time.
    std::size_t fan_out_span = 8192;      ///< How far its recipients may run ahead of the first unfinished one.
};

/// Where jobs wait that must wait longer than memory should hold them; see engine/delayed_jobs.
struct delayed_options {
    struct topic {
        std::string name;
        milliseconds length; ///< So long after it was written a record is looked at again.
    };
    std::vector<topic> topics; ///< Shortest first. Empty: there are none, and everything waits in memory.
    bool moves = true;         ///< False: jobs come back from there, but none goes (`delivery.ordering: key`).
};

/// What the replicas of a group agree on; see engine/fleet.
struct fleet_options {
    std::string fleet_topic;  ///< Of one partition.
    std::string tokens_topic; ///< Compacted. Not read without `classic` apps.
    /// Whoever holds partition 0 of this topic, the first jobs topic, is the one to lead.
    std::string leading_topic;
    std::string member; ///< Names this run of this process; never used twice.
    /// The place that this process has to itself while it lives, whoever had it before being dead; empty: it has none.
    std::string seat{};
    secret token_key;                 ///< 32 bytes; empty where no app is `classic`.
    milliseconds call_timeout{13000}; ///< The longest that a token call takes.
};

struct engine_options {
    std::string worker; ///< The instance's id, in every status.
    /// By index. References stay good while it grows; an index is never given to another app.
    std::deque<app_options> apps;
    std::string status_topic;
    std::string dead_letter_topic;
    /// Which apps' jobs a jobs topic may carry; a topic that is not named may carry all.
    std::map<std::string, std::vector<std::string>> topic_apps;
    domain::delivery_rules delivery;
    domain::breaker_limits breaker;
    std::optional<milliseconds> max_age;
    milliseconds max_delay{};
    milliseconds commit_interval{25};
    /// Statuses of ended messages may wait so long for others, to be written together. 0: none waits.
    milliseconds gather_statuses{0};
    milliseconds revoke_timeout{12'000};
    bool dry_run = false;
    bool ordered_by_key = false; ///< Jobs with one Kafka key go one after another.
    admission_limits admission;
    delayed_options delayed;
    std::uint64_t random_seed = 0; ///< Of the jitter; 0: drawn from the system.
    /// `run` always sets it. Empty: a courier on its own, without a group to agree with (tests of other concerns).
    std::optional<fleet_options> fleet;
};

/// What a job on that topic is held against: the same for the worker and for `enqueue`.
codec::job_rules job_rules_of(const engine_options& options, const std::string& topic);

/// What the send queue is told of an app.
domain::app_limits queue_limits_of(const app_options& app);

/// How many requests may be under way at once, over all apps; at least 1.
std::size_t in_flight_limit(const engine_options& options);

} // namespace wxcourier::engine
