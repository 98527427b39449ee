// SPDX-License-Identifier: Apache-2.0
/// @file
/// The answer to a `board_query`: all that the page shows at one moment.
#pragma once

#include "common/time.hpp"
#include "dashboard/kept_record.hpp"
#include "dashboard/series_table.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::dashboard {

using state_counts = std::array<std::uint64_t, state_count>;

struct latency_summary {
    std::uint64_t count = 0;
    std::int64_t p50 = -1; ///< Milliseconds; -1: none.
    std::int64_t p90 = -1;
    std::int64_t p99 = -1;
};

/// One app and kind.
struct group_row {
    std::string app;
    std::string kind;
    state_counts counts{};
    latency_summary latency;
};

/// Messages that did not arrive, for one reason and code.
struct failure_row {
    domain::job_state state = domain::job_state::failed;
    std::string reason;
    std::optional<int> errcode;
    std::uint64_t count = 0;
    wall_time first; ///< Begin of the first and of the last column of the range that has one.
    wall_time last;
    std::vector<std::pair<std::string, std::uint64_t>> apps; ///< The most frequent first; at most 5.
    std::size_t more_apps = 0;
    std::vector<std::uint32_t> over_time;
    std::vector<const kept_record*> examples; ///< The latest ones.
};

/// Messages that wait now.
struct waiting_row {
    std::string app;
    std::string kind;
    std::string reason;
    std::uint64_t count = 0;
    std::uint64_t overdue = 0; ///< Of them, should have been looked at a minute ago.
    wall_time since;           ///< The first one that waits.
    wall_time next;            ///< The first and the last `retry_at`.
    wall_time last;
};

/// A worker that has reported.
struct worker_row {
    std::string name;
    wall_time last;
    std::uint64_t count = 0;
};

struct board_view {
    wall_time now;
    wall_time from; ///< The columns begin here.
    wall_time to;
    milliseconds step{}; ///< Width of a column.
    std::size_t columns = 0;
    /// Empty: the range is whole. Otherwise what lies before it had to be forgotten.
    std::optional<wall_time> complete_from;

    state_counts totals{};
    std::array<std::vector<std::uint32_t>, state_count> over_time; ///< Empty: none of that state.
    latency_summary latency; ///< Of messages that were sent, or of the state asked for.
    std::vector<std::int64_t> p50;
    std::vector<std::int64_t> p99; ///< For each column; -1: none.
    std::vector<group_row> groups;
    std::vector<failure_row> failures;
    std::size_t more_failures = 0; ///< Rows left out.
    std::vector<waiting_row> waiting;
    bool waiting_incomplete = false;
    std::vector<const kept_record*> recent; ///< The latest first. Valid until the board changes.

    std::uint64_t read = 0; ///< Statuses counted since the dashboard started, whatever was asked for.
    std::uint64_t unreadable = 0;
    std::optional<wall_time> newest; ///< The latest status of all.
    bool series_overflowed = false;
    std::vector<std::string> apps; ///< All that may be asked for.
    std::vector<std::string> kinds;
    std::vector<worker_row> workers;
};

} // namespace wxcourier::dashboard
