// SPDX-License-Identifier: Apache-2.0
/// @file
/// What statuses are counted by. The words come from a topic that others write, so their number is bounded: beyond the
/// bound a status counts for its state only, never not at all.
#pragma once

#include "dashboard/tally.hpp"
#include "domain/status_record.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wxcourier::dashboard {

inline constexpr std::size_t state_count = static_cast<std::size_t>(domain::job_state::event) + 1;

/// Statuses that are counted together.
struct status_series {
    std::string app;  ///< Empty: `null` in the status. `other_series`: beyond the bound.
    std::string kind; ///< The same.
    domain::job_state state = domain::job_state::sent;
    std::string reason; ///< Empty: none.
    std::optional<int> errcode;
};

/// App and kind of what is counted for its state only.
inline constexpr const char* other_series = "*";

class series_table {
public:
    /// @param most             series beside the ones for a state only.
    /// @param most_of_a_state  of `most`: rejected jobs may name any number of apps, and must not crowd out the rest.
    explicit series_table(std::size_t most = 1000, std::size_t most_of_a_state = 250);

    /// The series of a status; a new one where there is room.
    series_id find_or_add(const domain::status_record& status);

    [[nodiscard]] const status_series& operator[](series_id id) const { return rows_[id]; }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    /// Whether something was counted for its state only.
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

private:
    std::size_t most_;
    std::size_t most_of_a_state_;
    std::vector<status_series> rows_; ///< The first `state_count` are the ones for a state only.
    std::vector<std::size_t> of_state_;
    std::unordered_map<std::string, series_id> ids_;
    std::string key_; ///< Memory used again.
    bool overflowed_ = false;
};

} // namespace wxcourier::dashboard
