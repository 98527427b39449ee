// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the replicas of a group agree on, over two topics of Kafka and with no other service (docs/adr/0008).
#pragma once

#include "codec/token_record_codec.hpp"
#include "common/metrics.hpp"
#include "domain/fleet_leadership.hpp"
#include "engine/credentials.hpp"
#include "engine/fleet_token_source.hpp"
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

/// This replica's part in the group. Follows the fleet and the token topic from their beginning and without end; leads
/// when it holds the first partition of the first jobs topic and the log says so. Not thread-safe.
class fleet final : public fleet_log_listener, private fleet_voice {
public:
    /// @param options  with `fleet` set. All references outlive it.
    fleet(const engine_options& options, record_publisher& publisher, token_api& api, credentials& tokens, clock& time,
          metrics_registry& metrics);

    /// Starts its coroutine, which ends after stop().
    void start(task_group& tasks);
    /// Leads no more.
    void stop();

    // What the consumer group does; see job_source_listener.
    void on_assigned(const std::vector<partition_assignment>& assigned);
    void on_gone(const std::vector<assignment_id>& gone);

    void on_log_record(const log_record& record) override;
    void on_log_caught_up() override;

    /// The publisher's answer. False: the ticket is not of this object.
    bool on_published(std::uint64_t ticket);

    /// Whether the topics have been read to the end they had at the start.
    [[nodiscard]] bool caught_up() const noexcept { return caught_up_; }

private:
    [[nodiscard]] bool leads() const override { return leadership_.leads(); }
    [[nodiscard]] std::uint64_t term() const override { return leadership_.term(); }
    [[nodiscard]] const std::string& leader() const override { return leadership_.leader(); }
    void say(const domain::fleet_record& record) override;
    void write_token(const std::string& app, std::string value) override;
    void on_ignored_token(const std::string& app, std::string_view reason) override;

    asio::awaitable<void> run();
    void on_fleet_record(std::string_view value);
    void on_record(const domain::leading_record& read);
    void on_record(const domain::refreshing_record& read);
    void on_record(const domain::refresh_failed_record& read);
    void on_record(const domain::token_rejected_record& read);
    void on_token_record(const log_record& record);
    void ignore(std::string_view topic, std::string_view app, std::string_view reason);
    void follow_lead();
    std::uint64_t publish(outbound_record record);
    fleet_token_source* source_of(const std::string& app);

    const engine_options& options_;
    const fleet_options& settings_;
    record_publisher& publisher_;
    clock& time_;
    codec::token_seal seal_;
    domain::fleet_leadership leadership_;
    std::map<std::string, std::unique_ptr<fleet_token_source>> sources_; ///< By the app's name.
    std::unique_ptr<alarm> alarm_;
    std::optional<assignment_id> first_partition_;
    std::uint64_t next_ticket_;
    std::uint64_t announcing_ = 0; ///< The ticket of an announcement that Kafka has not acknowledged; 0: none.
    std::map<std::string, steady_time, std::less<>> told_; ///< When a reason to ignore a record was logged last.
    bool caught_up_ = false;
    bool led_ = false; ///< What was told of.
    bool stopping_ = false;
    metric_family& ignored_;
    metric_series& leader_gauge_;
    metric_series& term_gauge_;
};

} // namespace wxcourier::engine
