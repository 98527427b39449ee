// SPDX-License-Identifier: Apache-2.0
/// @file
/// The engine as a whole: joins intake, queue, senders, credentials, reporter and committer over the ports.
#pragma once

#include "common/metrics.hpp"
#include "engine/credentials.hpp"
#include "engine/delayed_jobs.hpp"
#include "engine/fleet.hpp"
#include "engine/fleet_quotas.hpp"
#include "engine/fleet_rates.hpp"
#include "engine/fleet_tokens.hpp"
#include "engine/intake.hpp"
#include "engine/job_ledger.hpp"
#include "engine/memory_budget.hpp"
#include "engine/memory_shares.hpp"
#include "engine/offset_committer.hpp"
#include "engine/operator_control.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/sender_pool.hpp"
#include "engine/status_reporter.hpp"
#include "engine/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// How a drain ended.
struct drain_report {
    std::size_t cut_short = 0; ///< Messages under way whose end was not waited for.
    bool committed = true;     ///< All that had finished is committed.
    [[nodiscard]] bool clean() const noexcept { return cut_short == 0 && committed; }
};

/// Delivers jobs from the source to their statuses. The ports must outlive it; it is their listener. Lives on one
/// executor; not thread-safe.
class courier final : public job_source_listener, public publisher_listener {
public:
    /// @param on_failure  called once when the engine cannot go on (a fenced consumer, a defect): the process ends
    /// with 1.
    courier(const engine_options& options, asio::any_io_executor executor, clock& time, job_source& source,
            record_publisher& publisher, push_api& pushes, token_api& tokens, metrics_registry& metrics,
            std::function<void(const std::string&)> on_failure);
    ~courier() override;

    /// What follows the fleet and the token topic tells this one. Null without `options.fleet`.
    [[nodiscard]] fleet_log_listener* fleet_log() noexcept { return fleet_.get(); }
    /// What operators say at run time.
    [[nodiscard]] operator_control& operators() noexcept { return operators_; }
    [[nodiscard]] const operator_control& operators() const noexcept { return operators_; }
    /// Messages of the app in memory that are not under way, and those that are.
    [[nodiscard]] std::size_t queued(domain::app_index app) const noexcept { return queue_.queued(app); }
    [[nodiscard]] std::size_t in_flight(domain::app_index app) const noexcept { return queue_.in_flight(app); }
    /// Whether every status and dead letter is acknowledged. What the replicas say to each other does not count.
    [[nodiscard]] bool all_reported() const noexcept { return reporter_.pending() == 0; }
    /// The apps' tokens, for sources that are not WeChat's own calls: joined before start().
    [[nodiscard]] credentials& tokens() noexcept { return credentials_; }

    /// Has WeChat asked how much of a call's day quota is left. Before start(); the port outlives this object. Without
    /// it, and without a fleet, quotas are what WeChat's refusals say.
    void learn_quotas_from(quota_api& api);

    /// How many partitions each delayed topic has: what decides where a job waits. Before start().
    void know_delayed_partitions(std::map<std::string, std::int32_t> partitions)
    {
        delayed_.know_partitions(std::move(partitions));
    }

    /// Starts its coroutines. They end after drain().
    void start();

    // The configuration has changed while the worker runs. Before start() or after it, not while draining.

    /// The app of that name whose jobs are taken.
    [[nodiscard]] std::optional<domain::app_index> find_app(const std::string& name) const;
    /// Takes the jobs of another app from now on. One that was removed before and is the same for WeChat (name, type,
    /// AppID) gets its index again, others a new one at the end.
    /// @param source  of its tokens, if they are not WeChat's own calls or `classic`; outlives this object.
    domain::app_index add_app(const app_options& added, token_source* source);
    /// No job of the app is taken any more. Those in memory end as they would have; its token is kept current that
    /// long.
    void remove_app(domain::app_index app);
    /// Rate, burst, concurrency and the like; what is under way goes on.
    void change_limits(domain::app_index app, const domain::app_limits& limits);
    /// Where the app's tokens come from, and its AppSecret. Its messages wait until there is a token from there; those
    /// under way end with the one they have.
    /// @param source  as for add_app.
    void change_tokens(domain::app_index app, const app_options& wanted, token_source* source);
    /// Decisions from now on use these.
    void change_retry(domain::backoff_limits retry, milliseconds give_up_after,
                      const std::array<domain::class_limits, domain::retry_class_count>& per_class = {});
    void change_admission(const admission_limits& limits) { options_.admission = limits; }

    /// Every app there ever was, by index.
    [[nodiscard]] const std::deque<app_options>& apps() const noexcept { return options_.apps; }

    /// Stops reading, lets requests under way end, publishes their statuses and commits: in this order, and never later
    /// than `deadline`. A message that is not under way stays uncommitted and is read again. Call once; nothing of the
    /// engine runs afterwards but, at most, requests that were cut short, which the far side's close ends.
    asio::awaitable<drain_report> drain(steady_time deadline);

    /// Waits for coroutines that drain() had to leave behind. False: the deadline came first.
    asio::awaitable<bool> join(steady_time deadline) { return tasks_.join(deadline); }

    // What /readyz reports.
    [[nodiscard]] bool has_joined() const noexcept { return joined_; }
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    [[nodiscard]] credential_report credential_state(domain::app_index app) const { return credentials_.report(app); }

    void on_assigned(const std::vector<partition_assignment>& assigned) override;
    void on_revoking(const std::vector<assignment_id>& going) override;
    void on_lost(const std::vector<assignment_id>& gone) override;
    void on_records() override;
    void on_committed(std::uint64_t commit, const std::vector<commit_result>& results) override;
    void on_source_failed(const std::string& why) override;
    void on_published(std::uint64_t ticket, publish_result result) override;

private:
    void read();
    void follow_rate(domain::app_index app);
    void wake_dispatch();
    asio::awaitable<void> housekeeping();
    void join_token_source(domain::app_index app, token_source* source);
    void follow_capacity();
    void close_removed_apps();
    asio::awaitable<void> give_up(std::vector<assignment_id> going);
    asio::awaitable<bool> settle(std::vector<assignment_id> ids, steady_time deadline);
    void refresh_gauges(metrics_registry& metrics);
    void refresh_parks(metrics_registry& metrics);
    /// The Kafka timestamp of the oldest unfinished job of each assignment that has one.
    std::map<assignment_id, wall_time> oldest_jobs();

    engine_options options_;
    asio::any_io_executor executor_;
    clock& time_;
    job_source& source_;
    std::mt19937_64 random_;
    task_group tasks_;
    domain::send_queue queue_;
    memory_budget memory_; ///< Both outlive the jobs, which hold parts of them.
    memory_shares memory_shares_;
    delivery_store deliveries_;
    offset_committer committer_;
    status_reporter reporter_;
    credentials credentials_;
    std::unique_ptr<fleet> fleet_; ///< Null: this replica is on its own.
    std::unique_ptr<fleet_tokens> shared_tokens_;
    std::unique_ptr<fleet_rates> rates_;
    std::unique_ptr<fleet_quotas> quotas_;
    delayed_jobs delayed_;
    job_ledger ledger_;
    sender_pool senders_;
    operator_control operators_;
    intake intake_;
    std::set<domain::app_index> closing_; ///< Removed, with jobs in memory.
    condition progress_;                  ///< Something ended: who waits for partitions to settle looks again.
    std::unique_ptr<alarm> housekeeping_;
    std::function<void(const std::string&)> on_failure_;
    metrics_registry& metrics_;
    metric_family& rebalances_;
    metric_series& loop_lag_;
    bool joined_ = false;
    bool draining_ = false;
    bool stopped_ = false;
    bool read_posted_ = false;
    bool dispatch_posted_ = false;
};

} // namespace wxcourier::engine
