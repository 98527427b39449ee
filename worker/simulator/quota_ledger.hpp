// SPDX-License-Identifier: Apache-2.0
/// @file
/// How many calls each app has made this minute and today, and how many it may.
#pragma once

#include "common/time.hpp"
#include "simulator/endpoints.hpp"
#include "simulator/settings.hpp"
#include "simulator/text_map.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace wxcourier::simulator {

/// Not thread-safe; the caller says what time it is.
class quota_ledger {
public:
    /// `rules` must outlive the ledger; its quotas are read at each call, so they may change.
    explicit quota_ledger(const settings& rules) : settings_(rules) {}

    /// Counts one call. 0, or the errcode it is refused with, uncounted: 45011 this minute, 45009 today.
    int take(std::string_view appid, const endpoint& row, wall_time now);

    struct usage {
        std::uint64_t day_limit = 0; ///< 0: none.
        std::uint64_t day_used = 0;
        std::uint64_t minute_limit = 0; ///< 0: none.
    };
    [[nodiscard]] usage today(std::string_view appid, const endpoint& row, wall_time now);

    /// Sets one call's counters of this app to zero; null: those of all calls.
    void clear(std::string_view appid, const endpoint* row);

    /// The same, as the account's owner does it: ten times a month, by whichever call. False: used up, nothing done.
    bool clear_by_owner(std::string_view appid, const endpoint* row, wall_time now);

    /// Forgets everything.
    void reset() { apps_.clear(); }

private:
    struct counter {
        std::int64_t minute = 0;
        std::int64_t day = 0;
        std::uint64_t in_minute = 0;
        std::uint64_t in_day = 0;
    };
    struct account {
        std::vector<counter> calls;
        std::int64_t clear_month = 0;
        int clears = 0;
    };

    account& account_of(std::string_view appid);
    counter& counter_of(std::string_view appid, const endpoint& row, wall_time now);
    [[nodiscard]] std::uint64_t minute_limit(const endpoint& row) const noexcept;
    [[nodiscard]] std::uint64_t day_limit(const endpoint& row) const noexcept;

    const settings& settings_;
    text_map<account> apps_;
};

} // namespace wxcourier::simulator
