// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the replicas of a group agree on, over two topics of Kafka and with no other service (docs/adr/0008).
#pragma once

#include "common/metrics.hpp"
#include "domain/fleet_leadership.hpp"
#include "engine/fleet_concern.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/task_group.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::engine {

/// This replica's part in the group: follows the log from where its reader begins and without end, leads when it holds
/// the first partition of the first jobs topic and the log says so, and tells its concerns of both. What is agreed on
/// is theirs (fleet_tokens, …). Not thread-safe.
class fleet final : public fleet_log_listener, private fleet_voice {
public:
    /// @param options  with `fleet` set. All references outlive it.
    fleet(const engine_options& options, record_publisher& publisher, clock& time, metrics_registry& metrics);

    /// Has a concern told of everything from now on, in the order of joining. Before start(); it outlives this object,
    /// or at least whatever calls it.
    void join(fleet_concern& concern) { concerns_.push_back(&concern); }
    /// How its concerns ask and speak.
    [[nodiscard]] fleet_voice& voice() noexcept { return *this; }

    /// Starts its coroutine, which ends after stop().
    void start(task_group& tasks);
    /// Leads no more. Concerns may say their last words.
    void stop();

    // What the consumer group does; see job_source_listener.
    void on_assigned(const std::vector<partition_assignment>& assigned);
    void on_gone(const std::vector<assignment_id>& gone);

    void on_log_record(const log_record& record) override;
    void on_log_caught_up() override;
    [[nodiscard]] bool wants_older() const override;
    void on_older_record(const log_record& record) override;

    /// The publisher's answer. False: the ticket is not of this object.
    bool on_published(std::uint64_t ticket);

private:
    [[nodiscard]] bool leads() const override { return leadership_.leads(); }
    [[nodiscard]] std::uint64_t term() const override { return leadership_.term(); }
    void on_term(std::uint64_t term) override { leadership_.on_term(term); }
    [[nodiscard]] bool accepts(std::uint64_t term, const std::string& app) override;
    [[nodiscard]] const std::string& leader() const override { return leadership_.leader(); }
    [[nodiscard]] const std::string& member() const override { return leadership_.member(); }
    [[nodiscard]] bool caught_up() const override { return caught_up_; }
    [[nodiscard]] std::int64_t position() const override { return position_; }
    std::uint64_t say(const domain::fleet_record& record) override;
    void forget(const std::string& key) override;
    void write_token(const std::string& app, std::string value) override;
    void ignore(std::string_view topic, std::string_view app, std::string_view reason) override;

    asio::awaitable<void> run();
    void on_fleet_record(std::string_view value);
    void follow_lead();
    std::uint64_t publish(outbound_record record);

    const engine_options& options_;
    const fleet_options& settings_;
    record_publisher& publisher_;
    clock& time_;
    domain::fleet_leadership leadership_;
    std::vector<fleet_concern*> concerns_;
    std::unique_ptr<alarm> alarm_;
    std::optional<assignment_id> first_partition_;
    std::uint64_t next_ticket_;
    std::uint64_t announcing_ = 0; ///< The ticket of an announcement that Kafka has not acknowledged; 0: none.
    std::map<std::string, steady_time, std::less<>> told_; ///< When a reason to ignore a record was logged last.
    std::int64_t position_ = -1;                           ///< Of the last record of the fleet topic.
    bool caught_up_ = false;
    bool led_ = false; ///< What was told of.
    bool stopping_ = false;
    metric_family& ignored_;
    metric_series& leader_gauge_;
    metric_series& term_gauge_;
};

} // namespace wxcourier::engine
