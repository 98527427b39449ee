// SPDX-License-Identifier: Apache-2.0
/// @file
/// The dashboard's memory: counts of all statuses over time, the latest records, and what waits. Bounded in every
/// direction, whatever the topic holds. Pure: no clock, no I/O.
#pragma once

#include "common/time.hpp"
#include "dashboard/board_query.hpp"
#include "dashboard/board_view.hpp"
#include "dashboard/kept_record.hpp"
#include "dashboard/series_table.hpp"
#include "dashboard/time_levels.hpp"
#include "dashboard/waiting_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::dashboard {

struct board_limits {
    std::size_t cells = 2'500'000;         ///< Counters over time, 8 bytes each.
    std::size_t all_time_cells = 300'000;  ///< Counters of everything, 16 bytes each; beyond it, without latencies.
    std::size_t record_bytes = 10'000'000; ///< For each of four rings: live and history, sent and not.
    std::size_t waiting = 100'000;
    std::size_t workers = 200;
    std::size_t listed = 50; ///< Rows of a table.
};

/// Whether a status was read as it came, or from the history behind others that are newer.
enum class arrival : std::uint8_t { live, past };

/// Not thread-safe.
class status_board {
public:
    explicit status_board(board_limits limits = {});

    /// Counts a status.
    /// @param recorded  its record's Kafka timestamp: the time of statuses that have no `finished_at`.
    /// @param now       a status from the future counts as of now.
    void add(const domain::status_record& status, wall_time recorded, wall_time now, arrival how);
    /// Counts a record of the topic that is no status.
    void add_unreadable() { ++unreadable_; }

    /// Statuses from before this time will be added as `arrival::past`.
    void history_begins(wall_time before) { waiting_.expect_history_before(before); }
    void history_ends() { waiting_.history_is_complete(); }
    /// Housekeeping; once a minute is enough.
    void tidy(wall_time now) { waiting_.forget_stale(now); }

    [[nodiscard]] board_view look(const board_query& query, wall_time now) const;

    /// The records kept of a job, oldest first, at most `most`, the latest ones. Valid until the board changes.
    [[nodiscard]] std::vector<const kept_record*> records_of(std::string_view id, std::size_t most) const;
    [[nodiscard]] const series_table& series() const noexcept { return series_; }

private:
    struct ring_pair {
        record_ring sent;
        record_ring other;
    };
    class inquiry;

    void note_worker(const domain::status_record& status, wall_time at);
    template <typename Visit>
    void newest_first(const ring_pair& rings, bool with_sent, Visit&& visit) const;

    board_limits limits_;
    series_table series_;
    time_levels levels_;
    tally<std::uint64_t> all_time_;
    ring_pair live_;
    ring_pair past_;
    waiting_messages waiting_;
    std::map<std::string, worker_row, std::less<>> workers_;
    std::uint64_t read_ = 0;
    std::uint64_t unreadable_ = 0;
    std::optional<wall_time> oldest_;
    std::optional<wall_time> newest_;
};

} // namespace wxcourier::dashboard
