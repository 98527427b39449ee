// SPDX-License-Identifier: Apache-2.0
/// @file
/// A day's quota of a call, counted over the whole group: what the log says of it, and what the leader grants
/// (docs/adr/0016).
#pragma once

#include "domain/fleet_record.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace wxcourier::domain {

/// The state of one call's quota on one day, as the log tells it. Grants are counts of messages since the day began and
/// never end before it does: a member that was stopped, or is cut off, may use what it was granted, whenever that is;
/// what a dead one was granted counts as used. Pure; not thread-safe.
class quota_ledger {
public:
    /// A table names no more members than this: what the longest unheard ones were granted counts as used.
    static constexpr std::size_t most_members = 64;

    /// A member's report, as it stands in the log. False: a repeat, or overtaken.
    bool on_report(const std::string& name, std::uint64_t number, bool leaving, const quota_demand& said);
    /// A table by the one who led at this place of the log.
    void on_table(const quota_table_record& read);

    /// The leader's next table, if there is something to say: a limit that nobody knows yet, or grants to those who
    /// wait for one, in parts that grow smaller as the quota does. What members have given back is taken back. `term`,
    /// `day`, `app` and `call` are left to the caller.
    [[nodiscard]] std::optional<quota_table_record> next(const quota_limit& limit, bool exhausted) const;
    /// The newest table once more, for readers that come later.
    [[nodiscard]] quota_table_record repeat() const;

    /// What nobody has been granted, by the newest table.
    [[nodiscard]] quota_limit left() const;
    [[nodiscard]] const quota_limit& limit() const noexcept { return limit_; }
    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    /// Whether there has been a table.
    [[nodiscard]] bool known() const noexcept { return known_; }
    /// A member's grant by the newest table; empty where it names none.
    [[nodiscard]] quota_grant grant_of(const std::string& name) const;
    /// What members have said they have spent, and what counts as used by those who are gone.
    [[nodiscard]] std::int64_t spent() const;
    /// Whether any member has said something about that day.
    [[nodiscard]] bool in_use() const noexcept { return !members_.empty(); }
    /// Whether a member waits for a grant and there is nothing left to give it.
    [[nodiscard]] bool short_of_it() const;
    /// How often members were told by WeChat that nothing is left.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    struct member {
        std::uint64_t report = 0; ///< Its last one's number …
        quota_demand said;        ///< … and what it said of this call.
        bool leaving = false;
        quota_amount granted;       ///< By the newest table.
        std::uint64_t answered = 0; ///< The report that the newest table has taken into account.
        bool listed = false;        ///< The newest table names it.
        std::uint64_t heard = 0;    ///< Grows with every report that is read.
    };

    [[nodiscard]] static quota_amount base_of(const member& each);
    [[nodiscard]] bool asks(const member& each) const;
    static void fold(quota_table_record& into, const std::map<std::string, member>& members);

    std::map<std::string, member> members_;
    quota_amount gone_;
    quota_limit limit_ = no_quota;
    bool exhausted_ = false;
    bool known_ = false;
    std::uint64_t refused_ = 0;
    std::uint64_t reports_ = 0;
};

} // namespace wxcourier::domain
