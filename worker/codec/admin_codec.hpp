// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the admin listener takes and says, as JSON.
#pragma once

#include "common/time.hpp"
#include "domain/operator_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wxcourier::codec {

/// Reads `{"per_second": 50, "burst": 10, "concurrency": 64}`; null gives a limit back to the configuration, a member
/// that is absent leaves it. The ranges are those of the configuration. @return what is wrong, for people, otherwise.
std::variant<domain::rate_patch, std::string> decode_rate_patch(std::string_view body);

/// A pause as `GET /apps` shows it.
struct shown_pause {
    domain::pause_target target;
    std::string scope; ///< `group` or `instance`.
    domain::operator_mark mark;
};

/// An app as `GET /apps` shows it.
struct shown_app {
    std::string name;
    std::string state;   ///< `sending`, `paused`, `halted`, `no_token`, `unreachable` or `unagreed`.
    double rate_now = 0; ///< This process's part of the rate.
    double rate_configured = 0;
    double burst_configured = 0;
    std::size_t concurrency_configured = 0;
    domain::rate_override said; ///< By operators.
    std::size_t queued = 0;
    std::size_t in_flight = 0;
    std::string token_state;
    std::string token_reason;
    seconds token_expires_in{0};
    std::vector<shown_pause> pauses; ///< Those that touch it.
};

/// `{"version":1,"worker":…,"agreed":…,"apps":[…]}` and a line end. `agreed`: the group's log has been read.
std::string encode_admin_apps(const std::string& worker, bool agreed, const std::vector<shown_app>& apps);

/// What was done, as an answer to a call.
struct admin_receipt {
    std::string done;  ///< `paused`, `resumed`, `rate_changed`, `token_refresh_begun`, `draining`.
    std::string about; ///< In words: see domain::describe.
    std::string scope;
    bool changed = true;                ///< False: it held already.
    std::optional<wall_time> in_force;  ///< Here.
    std::optional<wall_time> by_then;   ///< On every replica that can read the fleet topic.
    std::optional<std::int64_t> offset; ///< In the fleet topic.
};
std::string encode_admin_receipt(const admin_receipt& receipt);

/// `{"error":…}` and a line end.
std::string encode_admin_error(std::string_view text);

} // namespace wxcourier::codec
