// SPDX-License-Identifier: Apache-2.0
/// @file
/// Status records as JSON, and back for `tail` and the dashboard.
#pragma once

#include "domain/status_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// A status record's parts where they lie, for those who write one for every push: to gather them in a record would
/// cost fifteen allocations. Members mean what they do in `domain::status_record`; all must live while it is used.
struct status_view {
    status_view() = default;
    status_view(const domain::status_record& record); // NOLINT(google-explicit-constructor): it is the same thing

    std::optional<std::string_view> id;
    std::optional<std::string_view> app;
    std::optional<std::string_view> kind;
    const domain::label_list* labels = nullptr; ///< Null: `null`.
    std::optional<std::string_view> touser;
    domain::job_state state = domain::job_state::sent;
    std::string_view reason;
    std::optional<int> errcode;
    std::string_view errmsg;
    std::string_view msgid;
    int attempts = 0;
    wall_time enqueued_at{};
    std::optional<wall_time> finished_at;
    std::optional<wall_time> retry_at;
    const domain::source_position* source = nullptr; ///< Null: `null`.
    std::string_view worker;
    const domain::operator_event* operation = nullptr;
};

/// One line of JSON, raw UTF-8, members in the order of docs/reference.md. `errmsg` is cut at 256 bytes, at a
/// character's boundary. `latency_ms` is derived; it is absent without `finished_at`.
std::string encode_status(const status_view& status);

/// Reads what `encode_status` of this or a neighbouring release wrote; unknown members are ignored. Empty: no status.
std::optional<domain::status_record> decode_status(std::string_view json);

} // namespace wxcourier::codec
