// SPDX-License-Identifier: Apache-2.0
/// @file
/// One record of the status topic, as contract 4 lays it down, before it is written as JSON.
#pragma once

#include "common/time.hpp"
#include "domain/operator_state.hpp"
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

/// What an operator did; of `event` only.
struct operator_event {
    std::string scope;       ///< `group`, or `instance`: the worker that tells of it alone.
    std::string template_id; ///< Empty: absent.
    std::string by;          ///< The name given with the call, or where it came from.
    /// Of `rate_changed`: what holds now instead of the configuration.
    std::optional<rate_override> limits;

    friend bool operator==(const operator_event&, const operator_event&) = default;
};

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
    std::optional<operator_event> operation; ///< Only `event`.
};

} // namespace wxcourier::domain
