// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which dead letters `wxcourier replay` puts back, and why it leaves the others out.
#pragma once

#include "common/time.hpp"
#include "domain/status_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// A job that has been replayed so often and failed again is not replayed once more, unless asked for.
inline constexpr int usual_most_replays = 3;

/// What a dead letter's headers say, and what is known of it besides.
struct letter_facts {
    job_state state = job_state::failed;
    std::string reason;
    wall_time at{};               ///< When it was written.
    int replays = 0;              ///< How often its job had been replayed already.
    bool unknown_outcome = false; ///< Of some of its messages nobody knows whether they arrived.
    bool replayed = false;        ///< It has been put back before.
    bool repeated = false;        ///< Another letter says the same of the same record (a crash wrote it twice).
};

/// What its value says.
struct letter_job {
    bool gone = false;                        ///< The letter was cut short, and the original is not in Kafka any more.
    bool still_bad = false;                   ///< By the present configuration it would be rejected again.
    std::optional<std::string> app, kind, id; ///< As far as it could be read.
};

/// What the operator asks for; what is empty is not looked at.
struct letter_filter {
    std::vector<std::string> reasons;
    std::optional<job_state> state;
    std::optional<std::string> app, kind, id;
    std::optional<wall_time> since, until; ///< Of the letters' times: from the one on, before the other.
    int most_replays = usual_most_replays;
};

enum class letter_verdict : std::uint8_t {
    chosen,
    not_wanted, ///< By the filter.
    replayed,
    repeated,
    unknown_outcome, ///< It is put back only when `outcome_unknown` is among the reasons named.
    too_often,
    gone,
    still_bad,
};

/// Why it is left out, for people: `replayed already`. Empty for `chosen` and `not_wanted`.
std::string_view describe(letter_verdict verdict) noexcept;

/// What the headers alone decide; `chosen`: nothing against it yet.
letter_verdict judge(const letter_facts& letter, const letter_filter& filter);

/// The rest, for a letter with nothing against it.
letter_verdict judge(const letter_job& job, const letter_filter& filter);

} // namespace wxcourier::domain
