// SPDX-License-Identifier: Apache-2.0
/// @file
/// What follows one attempt at a message, in full: the verdict on WeChat's answer held against the message's history,
/// its time limits and the delivery settings (docs/reference.md, delivery semantics).
#pragma once

#include "common/time.hpp"
#include "domain/backoff.hpp"
#include "domain/classify.hpp"
#include "domain/push_reply.hpp"
#include "domain/status_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wxcourier::domain {

/// How long WeChat drops a repeat with the same `client_msg_id` (API page of template/send).
inline constexpr std::chrono::minutes client_msg_id_window{10};
/// A repeat has to reach WeChat inside that window, and it may take as long as connecting and writing may last.
inline constexpr std::chrono::seconds client_msg_id_margin{15};

/// What kind of failure a message is tried again after.
enum class retry_class : std::uint8_t {
    network,   ///< No answer came, or none that could be read.
    busy,      ///< WeChat answered that it cannot.
    recipient, ///< WeChat holds messages to the recipient back.
};
inline constexpr std::size_t retry_class_count = 3;

/// Other limits for one class of failures; empty: as for all.
struct class_limits {
    std::optional<milliseconds> max{};
    std::optional<milliseconds> give_up_after{};
};

struct delivery_rules {
    backoff_limits retry{};
    milliseconds give_up_after{6LL * 3600 * 1000};
    std::array<class_limits, retry_class_count> per_class{}; ///< By retry_class.
    bool at_most_once = false;                               ///< An unknown outcome is reported and never sent again.
    bool report_unknown = false; ///< `on_unknown: report`: the same, where WeChat cannot drop a repeat.
};

/// What is known of a message between its attempts.
struct attempt_history {
    int attempts = 0; ///< Requests made, the one in question included.
    int retries = 0;  ///< Backoffs so far: grows the next one.
    bool takes_client_msg_id = false;
    std::optional<steady_time> first_unknown; ///< When the first attempt with an unknown outcome began.
    steady_time attempt_began{};              ///< The attempt in question.
    steady_duration active_for{0};            ///< Since the first attempt, by the lane's own clock.
};

/// Exactly one of: ended (`ended` set), or again at `again_at` after what the other members say.
struct delivery_decision {
    std::optional<job_state> ended; ///< The message's terminal state.
    std::string_view reason;        ///< Of that state, or of the wait. Lives for the whole program.
    steady_time again_at{};
    bool backed_off = false; ///< The wait counts as a retry.
    bool repeats = false;    ///< WeChat or the way to it failed: the next attempt draws on the retry budget.
    bool renew_token = false;
    bool halt_app = false;
    bool hold_recipient = false; ///< All messages of the app to this recipient wait until `again_at`.
    std::optional<steady_time> park_lane_until;
    bool outcome_unknown = false; ///< This attempt may have delivered the message.
    bool known_code = true;       ///< False: an errcode that nothing documents.
};

/// Decides. Pure; `jitter` in [0, 1) is drawn by the caller.
delivery_decision decide(const push_reply& reply, attempt_history history, const delivery_rules& rules, steady_time now,
                         wall_time wall_now, double jitter) noexcept;

/// The class of a failure that does not end its message.
retry_class retry_class_of(const push_reply& reply) noexcept;

/// Whether a message whose outcome is unknown may be sent once more (contract 7.3).
bool may_repeat(const attempt_history& history, const delivery_rules& rules, steady_time now) noexcept;

/// Whether the recipient got the message of that attempt, or may have got it.
bool may_have_arrived(const push_reply& reply) noexcept;

/// Whether the way to WeChat itself failed, which is what opens the breaker.
bool is_outage(const push_reply& reply) noexcept;

} // namespace wxcourier::domain
