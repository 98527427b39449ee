// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the log says of an app's rate: who needs how much, and who may still be using what (docs/adr/0009).
#pragma once

#include "common/time.hpp"
#include "domain/fleet_record.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace wxcourier::domain {

/// So long after it wrote a report that it has read back, a member may use its shares, by its own steady clock.
inline constexpr milliseconds rate_right_lasts{2500};
/// So long after a member's last report was read, its right has ended surely: the report was written before it was
/// read, and no two steady clocks run apart by a sixth.
inline constexpr milliseconds rate_right_surely_over{3000};

/// A reader's view of the reports and tables of the log. Every replica keeps one, so that whoever leads next knows what
/// its predecessor has lent. Pure; not thread-safe.
class rate_book {
public:
    struct member {
        std::uint64_t report = 0; ///< The last one's number.
        rate_version applied;     ///< It uses this table or a later one.
        steady_time heard{};      ///< When its last report was read.
        bool gone = false;        ///< It left, or a table has called it silent: it uses nothing but what comes later.
        std::string seat;         ///< As in its last report.
        std::map<std::string, rate_demand> demands; ///< By app.
    };

    /// A member's report, read now. False: a repeat, or overtaken.
    bool on_report(const rate_report_record& read, steady_time now);
    /// A table that was written by the one who led at this place of the log. False: it is void.
    bool on_table(const rate_table_record& read);

    /// The most that a member may be using of an app's rate.
    [[nodiscard]] rate_amount outstanding(const std::string& member_name, const std::string& app) const;
    /// What the newest table gives it.
    [[nodiscard]] rate_amount granted(const std::string& member_name, const std::string& app) const;
    /// Whether its right has surely ended.
    [[nodiscard]] static bool silent(const member& which, steady_time now) noexcept
    {
        return now - which.heard >= rate_right_surely_over;
    }

    [[nodiscard]] const std::map<std::string, member>& members() const noexcept { return members_; }
    /// Forgets a member that has been gone for long.
    void forget(const std::string& member_name) { members_.erase(member_name); }
    /// The newest table, void ones included.
    [[nodiscard]] rate_version newest() const noexcept { return newest_; }
    /// Of the newest table that counts.
    [[nodiscard]] rate_version in_force() const noexcept { return in_force_; }

private:
    struct table {
        rate_version version;
        std::map<std::string, rate_amount> shares; ///< By member.
    };

    void prune();
    void take_all_from(const std::string& member_name);

    std::map<std::string, member> members_;
    /// By app: its tables from the newest that all living members have applied on.
    std::map<std::string, std::deque<table>> tables_;
    rate_version newest_;
    rate_version in_force_;
};

} // namespace wxcourier::domain
