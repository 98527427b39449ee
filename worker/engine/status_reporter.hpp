// SPDX-License-Identifier: Apache-2.0
/// @file
/// Outcomes → the status topic and the dead letters. What finishes an offset is their acknowledgement.
#pragma once

#include "codec/dead_letter_codec.hpp"
#include "codec/job_codec.hpp"
#include "codec/status_codec.hpp"
#include "common/metrics.hpp"
#include "engine/delivery_store.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wxcourier::engine {

/// Writes statuses and dead letters, and tells when they stand. Not thread-safe.
class status_reporter {
public:
    status_reporter(const engine_options& options, record_publisher& publisher, clock& time, metrics_registry& metrics);

    /// A message has ended. `acknowledged` is called when its status stands.
    /// @param may_wait  it may be gathered with others for a while (`engine_options::gather_statuses`): each request to
    /// Kafka has more of them then. Otherwise those that were gathered go with it.
    void report_end(const delivery& ended, domain::job_state state, std::string_view reason, bool may_wait,
                    std::function<void()> acknowledged);
    /// Writes now what was gathered.
    void write_gathered();
    /// The loop that writes what was gathered in time; ends after stop().
    asio::awaitable<void> run();
    /// Gathers nothing from now on.
    void stop();

    /// A message waits longer than a minute. Nothing waits for this status.
    void report_deferral(const delivery& waiting, std::string_view reason, wall_time retry_at);
    /// A record was no job: one status, and its bytes as a dead letter. `acknowledged` is called when both stand.
    void report_rejection(const original_record& record, const domain::source_position& source,
                          const codec::rejection& why, std::function<void()> acknowledged);
    /// An operator did something. Nothing waits for this status.
    void report_event(std::string_view reason, const domain::pause_target& about, domain::operator_event operation);
    /// A job whose messages have all ended, some of them `failed`: its bytes as a dead letter.
    void bury(const job_in_progress& job, std::function<void()> acknowledged);

    /// Writes a job to a delayed topic. Exactly one of the two is called: when it stands there, or when the broker
    /// refuses it for its size.
    void move(outbound_record record, std::function<void()> acknowledged, std::function<void()> refused);

    /// The publisher's answer.
    void on_published(std::uint64_t ticket, publish_result result);

    /// Records that are not acknowledged yet.
    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

private:
    struct pending_record {
        std::function<void()> acknowledged;
        /// A dead letter: what to write when the broker finds it too large.
        std::unique_ptr<outbound_record> without_value;
        metric_series* counted = nullptr;
        std::function<void()> refused{}; ///< Called instead of `acknowledged` when it is too large.
    };

    struct gathered_record {
        outbound_record record;
        std::uint64_t ticket = 0;
    };

    std::uint64_t enter(pending_record pending);
    void publish(outbound_record record, pending_record pending);
    outbound_record record_of(const codec::status_view& status, const std::vector<header>& headers) const;
    void publish_status(const codec::status_view& status, const std::vector<header>& headers,
                        std::function<void()> acknowledged);
    void publish_dead_letter(const original_record& record, const codec::dead_letter_note& note,
                             std::function<void()> acknowledged);
    codec::status_view status_of(const delivery& message, domain::job_state state, std::string_view reason) const;

    const engine_options& options_;
    record_publisher& publisher_;
    clock& time_;
    std::uint64_t next_ticket_ = 1;
    using pending_records = std::unordered_map<std::uint64_t, pending_record>;
    pending_records pending_;
    std::vector<pending_records::node_type> spare_; ///< Of `pending_`, for the next.
    std::vector<gathered_record> gathered_;
    std::optional<steady_time> write_at_; ///< What was gathered has to be written then.
    std::unique_ptr<alarm> alarm_;
    bool stopping_ = false;
    std::array<metric_series*, 9> published_{}; ///< By state.
    metric_family& dead_letters_;
    metric_series& pending_gauge_;
};

} // namespace wxcourier::engine
