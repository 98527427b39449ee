// SPDX-License-Identifier: Apache-2.0
/// @file
/// What this replica may send of one call today, and when it asks for more or gives back (docs/adr/0016).
#pragma once

#include "common/time.hpp"
#include "domain/fleet_record.hpp"

#include <cstdint>
#include <optional>

namespace wxcourier::domain {

/// One replica's part of one call's quota on one day. Pure; not thread-safe.
class quota_allowance {
public:
    /// Between two times it asks, at least.
    static constexpr milliseconds ask_interval{50};
    /// One that was not answered asks again after this …
    static constexpr seconds ask_again{1};
    /// … and one for whom nothing was left, while it hopes and when it does not: somebody may have given back.
    static constexpr seconds ask_in_vain{1};
    static constexpr seconds ask_without_hope{30};
    /// What was granted and not used for so long is given back, where little is left for others.
    static constexpr seconds keeps{1};
    /// With nothing left to be granted and messages waiting for so long, nothing is expected before the day ends:
    /// whoever keeps something unused has given it back by then.
    static constexpr seconds hopes{3};

    /// @param limited  whether it may send nothing without a table: where the quota is configured.
    explicit quota_allowance(bool limited) : open_(!limited) {}

    /// What it has sent today, and what waits for nothing but the quota.
    void on_use(quota_amount spent, quota_amount ready, steady_time now);
    /// WeChat has refused a message because nothing is left.
    void on_refused() noexcept { ++refused_; }
    /// The newest table. @param own  its grant; all zero where it has none.
    void on_table(const quota_grant& own, quota_limit left, const quota_limit& limit, bool exhausted);

    /// How many messages it may have sent today at most; `no_quota_limit`: any number.
    [[nodiscard]] quota_amount cap() const noexcept;
    /// Whether nothing is expected before the day is over: for any message, or for those that are not of high priority.
    [[nodiscard]] bool used_up(bool high) const noexcept;
    /// Whether messages wait and there is nothing left to be granted, now.
    [[nodiscard]] bool starves(bool high) const noexcept { return starves_since_[high ? 1 : 0].has_value(); }
    /// Whether a limit is known that may be used up.
    [[nodiscard]] bool limited() const noexcept { return !open_; }

    /// Whether something is to be said now.
    [[nodiscard]] bool due(steady_time now) const noexcept;
    /// What to say. It counts as said, in the report of that number.
    [[nodiscard]] quota_demand say(std::uint64_t report, steady_time now);
    /// Last words: what it has not used it will not use.
    [[nodiscard]] quota_demand give_back(std::uint64_t report);

private:
    [[nodiscard]] quota_amount rest() const noexcept;
    [[nodiscard]] quota_amount needs() const noexcept;
    [[nodiscard]] bool lacks(bool high) const noexcept;
    [[nodiscard]] bool scarce() const noexcept;
    [[nodiscard]] bool hoards(bool high, steady_time now) const noexcept;
    [[nodiscard]] std::int64_t left_for(bool high) const noexcept { return high ? left_.all : left_.normal; }
    void note_starving(bool high, steady_time now) noexcept;

    quota_amount spent_;
    quota_amount ready_;
    double recent_high_ = 0; ///< Used within the last few seconds, the newest weigh most.
    double recent_normal_ = 0;
    quota_amount granted_;
    quota_amount kept_; ///< What it has bound itself to, until a table has answered that report.
    std::uint64_t bound_by_ = 0;
    quota_limit left_;
    quota_limit limit_ = no_quota;
    std::uint64_t refused_ = 0;
    std::uint64_t told_refused_ = 0;
    bool open_;              ///< Nothing is limited, as far as it knows.
    bool known_ = false;     ///< There has been a table.
    bool exhausted_ = false; ///< WeChat says so.
    bool asked_ = false;     ///< And not answered.
    steady_time said_at_ = steady_time::min();
    steady_time used_at_[2] = {steady_time::min(), steady_time::min()}; ///< Permits of the second kind, and the first.
    steady_time looked_at_ = steady_time::min();
    std::optional<steady_time> starves_since_[2]; ///< Of messages that are not of high priority, and of those.
    bool gave_up_[2] = {};
};

} // namespace wxcourier::domain
