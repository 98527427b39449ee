// SPDX-License-Identifier: Apache-2.0
/// @file
/// The leader's part: shares the apps' rates out by demand, never more than there is (docs/adr/0009).
#pragma once

#include "common/time.hpp"
#include "domain/fleet_record.hpp"
#include "domain/rate_book.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wxcourier::domain {

/// Decides on tables. What a member has lost counts as used until its own report says that it goes by the table that
/// took it, or until its right has surely ended; only then somebody else is given it. Pure; not thread-safe.
class rate_lender {
public:
    /// Between two tables for an app, at least, unless the change is big.
    static constexpr milliseconds table_interval{250};
    static constexpr milliseconds hasty_interval{40};
    /// A table is said again after this while it is used, so that every reader's view of the log has it.
    static constexpr seconds repeat_interval{10};
    /// Where an app's burst has fewer permits than there are members with work, they take turns of this length.
    static constexpr seconds turn{1};

    /// An app's whole rate.
    struct limit {
        std::string app;
        rate_amount amount;
    };

    /// The table to write now, if one is due; at most one is under way at a time.
    /// @param term  this replica's, which leads.
    [[nodiscard]] std::optional<rate_table_record> table(const rate_book& book, const std::vector<limit>& limits,
                                                         std::uint64_t term, steady_time now);
    /// A table was read, whoever wrote it, counting or void.
    void on_read(rate_version version) noexcept
    {
        if (under_way_ && version >= *under_way_)
            under_way_.reset();
    }
    /// This replica leads now, or no longer: nothing that was written before counts any more.
    void on_lead_changed();

private:
    struct party {
        std::string name;
        std::int64_t wanted = 0;
        std::int64_t weight = 1;
        rate_amount out;  ///< It may be using so much.
        rate_amount now;  ///< By the newest table.
        rate_amount goal; ///< What it should have.
        rate_amount next; ///< What it can be given now.
    };
    struct app_state {
        steady_time written = steady_time::min();
        std::set<std::string> turn_of; ///< Where they take turns: whose it is …
        steady_time turn_ends = steady_time::min();
        std::map<std::string, steady_time> served; ///< … and when each had its last.
    };

    static std::vector<party> parties_of(const rate_book& book, const std::string& app, steady_time now);
    void take_turns(app_state& state, std::vector<party>& parties, const rate_amount& whole, steady_time now);
    static void set_goals(std::vector<party>& parties, const rate_amount& whole);
    static void give_what_there_is(std::vector<party>& parties, const rate_amount& whole);
    [[nodiscard]] bool due(const app_state& state, const std::vector<party>& parties, const rate_amount& whole,
                           steady_time now) const;

    std::map<std::string, app_state> apps_;
    std::optional<rate_version> under_way_;
};

} // namespace wxcourier::domain
