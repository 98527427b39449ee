// SPDX-License-Identifier: Apache-2.0
/// @file
/// Has the send queue follow what WeChat's answers say about the pace, and says so.
#pragma once

#include "common/metrics.hpp"
#include "domain/adaptive_pace.hpp"
#include "domain/send_queue.hpp"
#include "engine/ports.hpp"

#include <deque>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// One domain::adaptive_pace for each app and call. Not thread-safe.
class lane_paces {
public:
    lane_paces(domain::send_queue& queue, clock& time, metrics_registry& metrics);
    lane_paces(const lane_paces&) = delete;
    lane_paces& operator=(const lane_paces&) = delete;

    /// The next app, in the order of the send queue's.
    void add_app(std::string name);

    /// A request of that lane, begun at `began`, has come to its end.
    void on_answer(domain::lane where, const domain::push_reply& reply, steady_time began);
    /// The app's breaker has closed.
    void on_outage_over(domain::app_index app);

private:
    struct lane_state {
        domain::adaptive_pace pace;
        metric_series* gauge = nullptr; ///< Null until the lane's first answer.
        domain::pace_reason shown = domain::pace_reason::none;
    };
    struct app_state {
        std::string name;
        std::vector<lane_state> lanes;
    };

    void follow(domain::lane where, double before);
    void show(domain::lane where);

    domain::send_queue& queue_;
    clock& time_;
    std::deque<app_state> apps_;
    metric_family& pace_;
    metric_family& reason_;
    metric_family& lowered_;
};

} // namespace wxcourier::engine
