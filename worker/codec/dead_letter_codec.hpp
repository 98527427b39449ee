// SPDX-License-Identifier: Apache-2.0
/// @file
/// The headers that wxcourier adds to a dead letter; key, value and the producer's headers stay byte for byte.
#pragma once

#include "common/time.hpp"
#include "domain/attempt_log.hpp"
#include "domain/commit_progress.hpp"
#include "domain/push_job.hpp"
#include "domain/status_record.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::codec {

struct dead_letter_note {
    domain::job_state state = domain::job_state::failed; ///< `failed` or `rejected`.
    std::string_view reason;
    std::string_view error; ///< For people; cut at 256 bytes.
    domain::source_position source;
    wall_time at{};
    std::vector<domain::index_range> failed_recipients{}; ///< Of a job with `recipients`; empty otherwise.
    /// Of those: the ones that may have got their message after all.
    std::vector<domain::index_range> unknown_recipients{};
    const domain::attempt_log* attempts = nullptr; ///< At the message that failed last; null: not known.
    std::optional<std::size_t> attempts_at{};      ///< The index of its recipient in a job with `recipients`.
};

/// `wxcourier.state`, `.reason`, `.error`, `.source`, `.at`, and, where there are some, `.recipients` and `.unknown`
/// (`0-99,731`) and `.attempts_log`.
std::vector<std::pair<std::string, std::string>> dead_letter_headers(const dead_letter_note& note);

/// Whether a job's header of that name is left out of its dead letter, because the letter has its own: a replayed job
/// brings such ones along.
bool gives_way_in_dead_letter(std::string_view name) noexcept;

} // namespace wxcourier::codec
