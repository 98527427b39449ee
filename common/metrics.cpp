// SPDX-License-Identifier: Apache-2.0
#include "common/metrics.hpp"

#include <algorithm>
#include <stdexcept>

namespace wxcourier {
namespace {

const std::vector<double> latency_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
const std::vector<double> age_bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 21600};

} // namespace

std::span<const metric_definition> metric_table()
{
    using enum metric_kind;
    static const std::vector<metric_definition> table{
        {"wxcourier_build_info", gauge, {"version", "librdkafka"}, "Always 1; the labels tell what runs."},
        {"wxcourier_start_time_seconds", gauge, {}, "When the process started, in seconds since 1970."},
        {"wxcourier_config_info",
         gauge,
         {"fingerprint"},
         "Always 1; the label is the beginning of the SHA-256 of the configuration file that is followed."},
        {"wxcourier_config_applied_timestamp_seconds",
         gauge,
         {},
         "When the settings in force were taken up, in seconds since 1970."},
        {"wxcourier_config_reloads_total",
         counter,
         {"result"},
         "Configurations read again: applied, unchanged, or refused with the old settings left in force."},
        {"wxcourier_config_refused",
         gauge,
         {},
         "1 while the configuration file is refused as it stands and older settings are in force."},
        {"wxcourier_config_needs_restart", gauge, {}, "Keys of the configuration whose new values wait for a restart."},
        {"wxcourier_ready", gauge, {}, "1 while /readyz says 200, 0 while it says why not."},
        {"wxcourier_jobs_read_total", counter, {"topic"}, "Job records read from Kafka."},
        {"wxcourier_jobs_decoded_total",
         counter,
         {"app", "kind"},
         "Job records that are jobs; those of delayed topics were counted when they came first."},
        {"wxcourier_jobs_rejected_total",
         counter,
         {"reason"},
         "Jobs that were not valid and went to the dead letters."},
        {"wxcourier_unknown_app_waiting",
         gauge,
         {},
         "Jobs of apps that are not known here, which wait up to a minute for the configuration to name them."},
        {"wxcourier_messages_finished_total",
         counter,
         {"app", "kind", "state", "reason"},
         "Messages that reached a terminal state, by state and reason."},
        {"wxcourier_attempts_total",
         counter,
         {"app", "kind", "outcome"},
         "Requests made to WeChat, by what was decided about their answer."},
        {"wxcourier_unknown_errcodes_total",
         counter,
         {"app", "kind"},
         "Answers with an errcode that no documentation names; the statuses carry the code."},
        {"wxcourier_send_duration_seconds",
         histogram,
         {"app"},
         "From the start of a request to its answer.",
         latency_bounds},
        {"wxcourier_delivery_duration_seconds",
         histogram,
         {"app"},
         "From the job's Kafka timestamp to WeChat's acceptance.",
         age_bounds},
        {"wxcourier_in_flight", gauge, {"app"}, "Requests under way."},
        {"wxcourier_parked",
         gauge,
         {"app", "kind"},
         "Of the queued messages those whose call a minute or day limit of WeChat's holds back; there only while one "
         "does."},
        {"wxcourier_parked_seconds",
         gauge,
         {"app", "kind"},
         "Seconds until the call is tried again that a limit of WeChat's holds back; there only while one does."},
        {"wxcourier_queued", gauge, {"app"}, "Messages in memory that are not under way: ready, or waiting."},
        {"wxcourier_waiting_for_recipient",
         gauge,
         {"app"},
         "Of the queued messages those whose recipient has another request under way, is held back by WeChat, or is "
         "over "
         "the app's per_recipient."},
        {"wxcourier_waiting_for_key",
         gauge,
         {},
         "Jobs that wait for an earlier one with their Kafka key, under ordering: key."},
        {"wxcourier_recipient_sends_forgotten_total",
         counter,
         {"app"},
         "Sends that per_recipient could not remember for all of its window; more than that many were in one."},
        {"wxcourier_rate_limit",
         gauge,
         {"app"},
         "Messages a second that this replica may send: what it has been lent of the app's rate, which the group "
         "shares."},
        {"wxcourier_rate_wanted",
         gauge,
         {"app"},
         "Messages a second that this replica could use of the app's rate: used lately, and waiting for nothing else."},
        {"wxcourier_quota_limit",
         gauge,
         {"app", "kind"},
         "Messages of the call that the group may send today (UTC+8): `quota.daily`, or what WeChat says. Absent where "
         "neither is known."},
        {"wxcourier_quota_left",
         gauge,
         {"app", "kind"},
         "Of those the messages that no replica has been granted yet; every replica shows the same."},
        {"wxcourier_quota_used",
         gauge,
         {"app", "kind"},
         "Messages of the call that this replica has sent today, those under way included."},
        {"wxcourier_quota_questions_total",
         counter,
         {"app", "result"},
         "Questions to WeChat how much of a day's quota is left: answered, or failed, which holds up nothing."},
        {"wxcourier_pace",
         gauge,
         {"app", "kind"},
         "Messages a second that the app's call may be sent at now: `wxcourier_rate_limit`, or less while WeChat "
         "cannot "
         "keep up."},
        {"wxcourier_pace_reason",
         gauge,
         {"app", "kind", "reason"},
         "1 for the reason of the present pace: `configured`, or what WeChat did when it was last lowered."},
        {"wxcourier_pace_lowered_total",
         counter,
         {"app", "kind", "reason"},
         "How often the pace was lowered, and why."},
        {"wxcourier_repeats_held",
         gauge,
         {"app"},
         "Messages that failed before and wait for the retry budget: a tenth of the requests while WeChat is ill."},
        {"wxcourier_app_halted", gauge, {"app", "reason"}, "1 while an app is halted for its credentials or account."},
        {"wxcourier_app_paused", gauge, {"app"}, "1 while an operator has all of the app's messages wait."},
        {"wxcourier_operator_changes_total",
         counter,
         {"change"},
         "What operators changed through this replica, by the event's reason."},
        {"wxcourier_admin_requests_total",
         counter,
         {"result"},
         "Requests to the admin listener: done, refused (answered 4xx), failed (5xx), or unauthorized (no or a wrong "
         "token)."},
        {"wxcourier_breaker_open",
         gauge,
         {"app"},
         "1 while an app's requests do not get through to WeChat and only probes go."},
        {"wxcourier_token_expiry_seconds", gauge, {"app"}, "Seconds until the access token expires; 0 without one."},
        {"wxcourier_token_generation", gauge, {"app"}, "How many tokens this process has had for the app."},
        {"wxcourier_token_refreshes_total", counter, {"app", "result"}, "Token calls, by their result."},
        {"wxcourier_fleet_leader",
         gauge,
         {},
         "1 while this replica leads the group: it lends rates, grants quotas and fetches `classic` tokens."},
        {"wxcourier_fleet_term", gauge, {}, "The term of the group's newest leader, as this replica has read it."},
        {"wxcourier_fleet_records_ignored_total",
         counter,
         {"topic", "reason"},
         "Records that the replicas share and this one did not use: damaged, changed, foreign, of an old term or key."},
        {"wxcourier_token_age_seconds", gauge, {"app"}, "Seconds since the access token came; 0 without one."},
        {"wxcourier_token_owner",
         gauge,
         {"app"},
         "1 while this process is one that asks for the app's tokens; 0 while it follows another replica."},
        {"wxcourier_token_forced_calls_left",
         gauge,
         {"app"},
         "Forced calls for a stable token that this process may still make within WeChat's 20 a day."},
        {"wxcourier_secret_rotations_total",
         counter,
         {"app", "result"},
         "Changed secrets: read, unusable as they stand, accepted or refused by WeChat."},
        {"wxcourier_partitions_assigned", gauge, {}, "Partitions this process holds."},
        {"wxcourier_rebalances_total", counter, {"event"}, "Assignments, revocations and losses of partitions."},
        {"wxcourier_commits_total", counter, {"result"}, "Offset commits, by their result."},
        {"wxcourier_partition_unfinished", gauge, {"topic", "partition"}, "Jobs read and not finished, by partition."},
        {"wxcourier_partition_oldest_unfinished_seconds",
         gauge,
         {"topic", "partition"},
         "Age of the oldest job read and not finished, by partition; 0 without one."},
        {"wxcourier_partition_lag",
         gauge,
         {"topic", "partition"},
         "Records behind the last one read, as of the last fetch; what is read and not finished comes on top."},
        {"wxcourier_delayed_moved_total",
         counter,
         {"topic", "reason"},
         "Jobs written to a delayed topic to wait there, by what for; every turn of a long wait counts."},
        {"wxcourier_delayed_returned_total",
         counter,
         {"topic"},
         "Jobs read from a delayed topic when it was time to look at them again."},
        {"wxcourier_delayed_copies_total",
         counter,
         {},
         "Second copies of delayed jobs, left by a crash, that were recognised and not sent."},
        {"wxcourier_delayed_waiting",
         gauge,
         {"topic"},
         "Jobs that wait in the partitions of a delayed topic which this process holds."},
        {"wxcourier_partitions_stopped",
         gauge,
         {},
         "Partitions that are not read: their commit is beyond the log's end."},
        {"wxcourier_records_skipped_total",
         counter,
         {},
         "Records that retention had deleted from the jobs topics before they were read."},
        {"wxcourier_commit_metadata_ignored_total",
         counter,
         {},
         "Commit metadata that could not be read; what it held is sent again."},
        {"wxcourier_statuses_published_total", counter, {"state"}, "Statuses acknowledged by all in-sync replicas."},
        {"wxcourier_statuses_pending", gauge, {}, "Statuses and dead letters handed to Kafka, not yet acknowledged."},
        {"wxcourier_dead_letters_published_total", counter, {"reason"}, "Dead letters acknowledged."},
        {"wxcourier_connections", gauge, {"state"}, "Connections to WeChat, idle and busy."},
        {"wxcourier_connections_opened_total", counter, {"result"}, "Connection attempts to WeChat, by their result."},
        {"wxcourier_loop_lag_seconds", histogram, {}, "How late the event loop's 100 ms timer came.", latency_bounds},
    };
    return table;
}

void metric_series::observe(double value) noexcept
{
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++buckets_[static_cast<std::size_t>(bound - bounds_.begin())];
    value_ += value;
}

metric_series& metric_family::with(const std::vector<std::string>& label_values)
{
    if (label_values.size() != definition_.labels.size())
        throw std::invalid_argument("metric " + std::string(definition_.name) + ": wrong number of label values");
    return series_.try_emplace(label_values, std::span<const double>(definition_.buckets)).first->second;
}

metrics_registry::metrics_registry()
{
    for (const auto& definition : metric_table())
        families_.emplace(definition.name, std::make_unique<metric_family>(definition));
}

metric_family& metrics_registry::operator[](std::string_view name)
{
    return *families_.at(name);
}

bool metrics_registry::hidden(const metric_definition& of, const std::vector<std::string>& label_values) const
{
    for (std::size_t i = 0; i < of.labels.size(); ++i)
        if (const auto found = hidden_.find(of.labels[i]);
            found != hidden_.end() && found->second.contains(label_values[i]))
            return true;
    return false;
}

void metrics_registry::refresh()
{
    for (const auto& each : refreshers_)
        each();
}

} // namespace wxcourier
