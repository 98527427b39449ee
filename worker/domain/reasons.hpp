// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine-readable reasons of the status topic. Readers match on these words, so a word never changes its meaning
/// and is never taken away; docs/reference.md lists them all.
#pragma once

#include "domain/status_record.hpp"

#include <span>
#include <string_view>

namespace wxcourier::domain {

namespace reason {

// Of `rejected`.
inline constexpr std::string_view invalid_job = "invalid_job";
inline constexpr std::string_view unknown_app = "unknown_app";
inline constexpr std::string_view unknown_kind = "unknown_kind";
inline constexpr std::string_view forbidden_app = "forbidden_app";

// Of `failed`: WeChat's answer was final for the message.
inline constexpr std::string_view invalid_recipient = "invalid_recipient";
inline constexpr std::string_view not_subscribed = "not_subscribed";
inline constexpr std::string_view refused_by_user = "refused_by_user";
inline constexpr std::string_view invalid_template = "invalid_template";
inline constexpr std::string_view invalid_data = "invalid_data";
inline constexpr std::string_view invalid_form_id = "invalid_form_id";
inline constexpr std::string_view content_refused = "content_refused";
inline constexpr std::string_view not_permitted = "not_permitted";
inline constexpr std::string_view unknown_error = "unknown_error";

// Of `failed`: no final answer came.
inline constexpr std::string_view retries_exhausted = "retries_exhausted";
inline constexpr std::string_view outcome_unknown = "outcome_unknown";

// Of `expired`.
inline constexpr std::string_view expired = "expired";
inline constexpr std::string_view too_old = "too_old";

// Of `deferred`.
inline constexpr std::string_view not_before = "not_before";
inline constexpr std::string_view quota_exhausted = "quota_exhausted";
inline constexpr std::string_view rate_limited = "rate_limited";
inline constexpr std::string_view recipient_limited = "recipient_limited";
inline constexpr std::string_view app_halted = "app_halted";
inline constexpr std::string_view app_paused = "app_paused";

// Of `event`. `app_paused` is one as well.
inline constexpr std::string_view app_resumed = "app_resumed";
inline constexpr std::string_view kind_paused = "kind_paused";
inline constexpr std::string_view kind_resumed = "kind_resumed";
inline constexpr std::string_view template_paused = "template_paused";
inline constexpr std::string_view template_resumed = "template_resumed";
inline constexpr std::string_view rate_changed = "rate_changed";
inline constexpr std::string_view token_refreshed = "token_refreshed";
inline constexpr std::string_view drain = "drain";

} // namespace reason

/// One reason as the reference page explains it.
struct reason_definition {
    std::string_view word;
    job_state state; ///< The state it stands with.
    std::string_view meaning;
};

/// The word of `all_reasons()` that equals `text`, which need not live on. Empty: none does.
std::string_view known_reason(std::string_view text) noexcept;

/// Every reason, in the order of docs/reference.md.
std::span<const reason_definition> all_reasons() noexcept;

} // namespace wxcourier::domain
