// SPDX-License-Identifier: Apache-2.0
/// @file
/// Who leads the group: the log's order decides, no clock does (docs/adr/0008).
#pragma once

#include "common/time.hpp"
#include "domain/fleet_record.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wxcourier::domain {

/// One replica's view of the lead. Kafka's group makes it a candidate; it leads from the moment it reads its own
/// announcement back from the fleet topic as the first of its term, until it reads a later term or stops being the
/// candidate. All replicas read the same order, so for each record they agree whether its writer led. Pure; not
/// thread-safe.
class fleet_leadership {
public:
    /// A leader repeats its announcement so often: the topic's retention must not make it unknown.
    static constexpr seconds repeat_interval{10};
    /// Between two announcements of a candidate, at least: one that has not come back is written again, and two who
    /// both believe to be the candidate do not chase each other.
    static constexpr seconds announce_interval{3};

    /// @param member  names this run of this process, never used twice.
    explicit fleet_leadership(std::string member) : member_(std::move(member)) {}

    /// Whether this replica holds the first partition of the first jobs topic.
    void set_candidate(bool candidate) noexcept;
    /// All that stood in the logs when this process began to read has been read.
    void on_caught_up() noexcept { caught_up_ = true; }
    /// A term was met outside of announcements, as in a token record: the next one must be above it.
    void on_term(std::uint64_t term) noexcept;
    /// An announcement, in the log's order. False: it is of an older term, or lost the term to another.
    bool on_leading(const leading_record& read);

    /// Whether a leader's record, read now, was written by the one who led at this place of the log.
    [[nodiscard]] bool accepts(std::uint64_t term) const noexcept { return term == term_; }

    /// The term to announce now, if one has to be written.
    [[nodiscard]] std::optional<std::uint64_t> to_announce(steady_time now) const noexcept;
    /// That announcement was handed to Kafka.
    void on_announced(std::uint64_t term, steady_time now) noexcept;
    /// When to ask `to_announce` again, unless something is read before. Empty: not before something changes.
    [[nodiscard]] std::optional<steady_time> next_look() const noexcept;

    [[nodiscard]] bool leads() const noexcept { return own_term_ != 0; }
    /// The newest term read.
    [[nodiscard]] std::uint64_t term() const noexcept { return term_; }
    /// The instance's id of the leader by the log; empty: not known.
    [[nodiscard]] const std::string& leader() const noexcept { return leader_worker_; }
    [[nodiscard]] const std::string& member() const noexcept { return member_; }

private:
    std::string member_;
    std::string leader_member_;
    std::string leader_worker_;
    std::uint64_t term_ = 0;
    std::uint64_t own_term_ = 0;  ///< 0: does not lead.
    std::uint64_t announced_ = 0; ///< Written and not read back; 0: none.
    steady_time announced_at_{};  ///< The last one, also of those repeated while leading.
    bool candidate_ = false;
    bool caught_up_ = false;
};

} // namespace wxcourier::domain
