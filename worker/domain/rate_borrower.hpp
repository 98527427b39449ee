// SPDX-License-Identifier: Apache-2.0
/// @file
/// This replica's shares of the apps' rates: what it may use, until when, and when it has to speak (docs/adr/0009).
#pragma once

#include "common/time.hpp"
#include "domain/fleet_record.hpp"
#include "domain/rate_book.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::domain {

/// Its right to use its shares lasts `rate_right_lasts` from when it wrote the newest report that it has read back: to
/// have read that is to have read all tables before it. A process that was stopped finds its right ended by its own
/// steady clock and speaks first. Pure; not thread-safe.
class rate_borrower {
public:
    /// Between two reports, at least, unless the change is big.
    static constexpr milliseconds report_interval{250};
    /// And at least this where it is.
    static constexpr milliseconds hasty_interval{40};
    /// A right is renewed so long after the last report.
    static constexpr milliseconds renew_interval{800};
    /// A member without work goes on speaking for so long, so that the next job finds its right alive.
    static constexpr seconds lingers{10};

    /// Where its right has ended and its last report has not come back, it tries again after this.
    static constexpr seconds speaks_up{60};

    /// @param seat  the place that this process has to itself; see rate_report_record::seat.
    explicit rate_borrower(std::string member, std::string seat = {})
        : member_(std::move(member)), seat_(std::move(seat))
    {
    }

    /// What it could use now: only apps that could use something.
    void on_demands(std::vector<rate_demand> demands, steady_time now);
    /// A table that counts (rate_book::on_table).
    void on_table(const rate_table_record& read);
    /// Its own report, read back.
    void on_own_report(std::uint64_t number, steady_time now);

    /// The report to write now, if one is due. It counts as written.
    [[nodiscard]] std::optional<rate_report_record> report(steady_time now);
    /// Kafka has taken the last report: until then no other is made, or they would pile up while it is away.
    void on_report_taken() noexcept { under_way_ = false; }
    /// Its last words: from here on it uses nothing.
    [[nodiscard]] rate_report_record leave();

    /// Its share of an app's rate; to be used until `right_until` only.
    [[nodiscard]] rate_amount share(const std::string& app) const;
    [[nodiscard]] steady_time right_until() const noexcept { return right_until_; }
    /// A report is under way that has not been read back.
    [[nodiscard]] bool waits() const noexcept { return !written_.empty(); }
    /// Counts up whenever a share or the end of the right changes.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

private:
    [[nodiscard]] bool wants_more(steady_time now) const;
    [[nodiscard]] bool deaf(steady_time now) const;

    std::string member_;
    std::string seat_;
    std::map<std::string, rate_amount> shares_; ///< By app; none is zero.
    std::map<std::string, rate_demand> demands_;
    std::map<std::string, rate_demand> reported_;
    rate_version applied_;
    std::uint64_t number_ = 0;                     ///< Of the last report.
    std::map<std::uint64_t, steady_time> written_; ///< Reports that have not been read back.
    steady_time last_report_ = steady_time::min();
    steady_time last_work_ = steady_time::min();
    steady_time right_until_ = steady_time::min();
    std::uint64_t changes_ = 0;
    bool owes_word_ = false; ///< A table took something away: the others wait for its word.
    bool under_way_ = false;
    bool left_ = false;
};

} // namespace wxcourier::domain
