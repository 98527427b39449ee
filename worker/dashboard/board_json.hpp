// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the page's scripts are told, as JSON. Times are milliseconds since the epoch, `null` where there is none.
#pragma once

#include "dashboard/board_view.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::dashboard {

/// What the page says about where its figures come from.
struct feed_state {
    std::string topic;
    bool connected = false;  ///< The brokers answered when last asked.
    std::string trouble;     ///< Why not.
    std::int64_t behind = 0; ///< Records of the topic that are still to be read, of those that come live.
    /// Statuses from here on are counted; empty: from the beginning of the topic.
    std::optional<wall_time> history_from;
    bool history_reading = false;
    std::int64_t history_done = 0; ///< Records.
    std::int64_t history_total = 0;
    std::string version;
};

/// One snapshot, on one line.
std::string to_json(const board_view& view, const series_table& series, const feed_state& feed);

/// The records of a job.
std::string to_json(const std::vector<const kept_record*>& records, const series_table& series);

/// `"…"`, with what is no UTF-8 replaced.
std::string json_string(std::string_view text);

} // namespace wxcourier::dashboard
