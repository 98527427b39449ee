// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a job takes along when it waits on a delayed topic, besides its record: who it is, and how far it had come.
#pragma once

#include "common/time.hpp"
#include "domain/attempt_log.hpp"
#include "domain/commit_progress.hpp"
#include "domain/delay_plan.hpp"
#include "domain/push_job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// A message of the job that was attempted already and has not ended.
struct attempted_message {
    std::int64_t index = 0;
    int attempts = 0;                         ///< Requests made.
    int retries = 0;                          ///< Backoffs so far.
    milliseconds active_for{0};               ///< Since the first attempt, by the lane's own clock (`give_up_after`).
    std::optional<wall_time> first_unknown{}; ///< When the first attempt with an unknown outcome began.
    std::optional<int> errcode{};             ///< WeChat's last answer.
    attempt_notes notes{};                    ///< Of its attempts.

    friend bool operator==(const attempted_message&, const attempted_message&) = default;
};

/// A job on a delayed topic. Its value, key and the producer's headers stand in the record as they came.
struct delayed_job {
    source_position source; ///< The record as it was first read: names the job for good.
    wall_time due{};
    wall_time enqueued_at{}; ///< That record's Kafka timestamp: what its age is counted from.
    wait_end end = wait_end::open;
    std::string reason;                ///< What it waits for: a word of the status topic; empty: for memory.
    wall_time waits_since{};           ///< When this wait began, over all its turns.
    bool reported = false;             ///< The wait stands on the status topic.
    std::vector<index_range> finished; ///< Of a job with recipients: those that have ended …
    std::vector<index_range> failed;   ///< … those of them that failed …
    std::string failed_for;            ///< … and why most of them did.
    /// Those of the failed that may have arrived all the same. Empty: not told, by an older release.
    std::optional<std::vector<index_range>> unknown{};
    std::string failure_text{};  ///< WeChat's words on the one that failed last.
    attempted_message failure{}; ///< The attempts at it: `index`, `attempts` and `notes`.
    std::vector<attempted_message> attempted;

    friend bool operator==(const delayed_job&, const delayed_job&) = default;
};

} // namespace wxcourier::domain
