// SPDX-License-Identifier: Apache-2.0
/// @file
/// One record of the status topic, as contract 4 lays it down, before it is written as JSON.
#pragma once

#include "common/time.hpp"
#include "domain/push_job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::domain {

enum class job_state : std::uint8_t {
    sent,
    failed,
    expired,
    rejected,
    simulated,
    deferred,
    delivered,
    undelivered,
    event
};

/// The state's word on the status topic.
std::string_view to_string(job_state state) noexcept;

struct status_record {
    std::optional<std::string> id; ///< Empty: the job could not be read that far (`null`).
    std::optional<std::string> app;
    std::optional<std::string> kind;
    std::optional<label_list> labels; ///< Empty: `null`, the job could not be read that far.
    std::optional<std::string> touser;
    job_state state = job_state::sent;
    std::string reason; ///< Empty: absent.
    std::optional<int> errcode;
    std::string errmsg; ///< Empty: absent. Cut at 256 bytes by the codec.
    std::string msgid;  ///< Empty: absent.
    int attempts = 0;
    wall_time enqueued_at{};
    std::optional<wall_time> finished_at; ///< Absent in statuses that are not terminal.
    std::optional<wall_time> retry_at;    ///< Only `deferred`.
    source_position source;
    std::string worker;
};

} // namespace wxcourier::domain
