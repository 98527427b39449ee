// SPDX-License-Identifier: Apache-2.0
/// @file
/// An app's rate holds for the whole group, so each replica uses its share of it: that of the partitions it holds.
#pragma once

#include "common/metrics.hpp"
#include "domain/send_queue.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::engine {

/// Keeps the rates of the send queue at rate × partitions held / partitions there are, counting those that may carry
/// the app's jobs. A partition is held by one replica at a time, so the shares never add up to more than the rate, and
/// need no agreement. What moves takes no burst with it. Until the numbers of partitions are known, the whole rate is
/// this replica's. Not thread-safe.
class rate_shares {
public:
    rate_shares(const engine_options& options, domain::send_queue& queue, clock& time, metrics_registry& metrics);

    /// An app has come, or its limits have changed.
    void follow(domain::app_index app);

    /// How many partitions each jobs topic has. Before the first assignment.
    void know(std::map<std::string, std::int32_t> partitions);

    void on_assigned(const std::vector<partition_assignment>& assigned);
    /// Before they are given up: the next owner may use their share from then on.
    void on_gone(const std::vector<assignment_id>& gone);

    /// The part of the app's rate that is this replica's: 0 to 1.
    [[nodiscard]] double share(domain::app_index app) const;

private:
    void apply();
    [[nodiscard]] bool carries(const std::string& topic, const std::string& app) const;

    const engine_options& options_;
    domain::send_queue& queue_;
    clock& time_;
    std::map<std::string, std::int32_t> partitions_; ///< By topic; empty: not known.
    std::map<assignment_id, std::pair<std::string, std::int32_t>> held_;
    metric_family& rate_gauge_;
};

} // namespace wxcourier::engine
