// SPDX-License-Identifier: Apache-2.0
/// @file
/// The headers that wxcourier adds to a dead letter; key, value and the producer's headers stay byte for byte.
#pragma once

#include "common/time.hpp"
#include "domain/commit_progress.hpp"
#include "domain/push_job.hpp"
#include "domain/status_record.hpp"

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
    std::vector<domain::index_range> failed_recipients; ///< Of a job with `recipients`; empty otherwise.
};

/// `wxcourier.state`, `.reason`, `.error`, `.source`, `.at`, and `.recipients` (`0-99,731`) where there are some.
std::vector<std::pair<std::string, std::string>> dead_letter_headers(const dead_letter_note& note);

} // namespace wxcourier::codec
