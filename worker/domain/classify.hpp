// SPDX-License-Identifier: Apache-2.0
/// @file
/// From WeChat's answer to the next step: one table with a row for every documented errcode, one for the HTTP statuses,
/// one for the token calls. docs/wechat-errors.md is made from them.
///
/// Two rules of the contract outweigh what a code seems to say (docs/reference.md, delivery semantics): an error of
/// ours or of WeChat's (credentials, quota, network, overload) never ends a job by itself, and an answer is final for
/// its own message only.
#pragma once

#include "domain/push_reply.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace wxcourier::domain {

/// What the engine does next with a message.
enum class next_step : std::uint8_t {
    accept,         ///< `sent`.
    retry,          ///< Backoff with jitter, then again: nothing of ours was wrong and nothing was accepted.
    retry_unknown,  ///< The outcome is unknown: again only where a repeat is harmless or wanted (contract 7.3).
    renew_token,    ///< The token is dead: renew it once for all, then again.
    park_minute,    ///< This app's call waits for the next calendar minute.
    park_day,       ///< This app's call waits for the next day in UTC+8 (or shorter when budget is left).
    park_recipient, ///< This recipient of the app waits; others go on.
    fail,           ///< Final for this message: `failed` with the row's reason.
    halt_app,       ///< The account or a credential needs a person: the app stops, its jobs wait.
};

/// One row: what an errcode means for a message. The reason is the status topic's word; for steps that are no end it is
/// the reason a `deferred` status would carry, or empty.
struct error_rule {
    int errcode;
    next_step step;
    std::string_view reason;
    std::string_view meaning; ///< For people: the reference page, log lines.
};

/// The rows of send calls, ascending by code.
std::span<const error_rule> send_rules() noexcept;

/// The row of an errcode; null: not documented.
const error_rule* find_send_rule(int errcode) noexcept;

/// What an HTTP status other than 200 means for a message.
struct http_rule {
    int first; ///< Lowest status of the row.
    int last;  ///< Highest.
    next_step step;
    std::string_view reason;
    std::string_view meaning;
};

/// The rows of HTTP statuses, ascending, disjoint, covering 100–999. A 2xx has a row too: it is one without WeChat's
/// JSON, since with it the errcode decides.
std::span<const http_rule> http_rules() noexcept;

struct verdict {
    next_step step = next_step::fail;
    std::string_view reason = ""; ///< Valid for the whole program.
    bool known_code = true;       ///< False: an errcode without a row.
    bool needs_person =
        false; ///< A defect of ours or a setting that waiting alone will not mend: worth an `error` line.
};

/// Decides about one attempt.
/// @param after_unknown  an earlier attempt of the same message ended unknown: codes that may mean "the first one
///                       arrived" (43101, 40241, 41029, 45047) then end as `outcome_unknown` (contract 7.3).
verdict classify(const push_reply& reply, bool after_unknown) noexcept;

/// What the answer of a token call means.
enum class token_step : std::uint8_t {
    retry,            ///< Backoff, then again.
    halt,             ///< A wrong or frozen credential: the app halts with the reason; asked again slowly.
    park_minute,      ///< The endpoint's minute limit.
    park_day,         ///< The endpoint's day limit; the old token stays in use.
    park_ten_minutes, ///< An administrator's confirmation is awaited.
    park_hour,
};

/// The reason that means: this AppSecret is not the app's.
inline constexpr std::string_view wrong_secret = "wrong_secret";

struct token_verdict {
    token_step step = token_step::retry;
    std::string_view reason; ///< Machine-readable, for /readyz, metrics and statuses.
};

/// One row: what an errcode means as the answer of a token call.
struct token_rule {
    int errcode;
    token_step step;
    std::string_view reason;
    std::string_view meaning;
};

/// The rows of token calls, ascending by code.
std::span<const token_rule> token_rules() noexcept;

/// Decides about a token call that gave no token. `errcode` empty: no readable answer came.
token_verdict classify_token_failure(std::optional<int> errcode) noexcept;

/// The caller's address in WeChat's words about a whitelist (40164): `203.0.113.7` of `invalid ip 203.0.113.7 ipv6
/// ::ffff:203.0.113.7, not in whitelist`. Empty: none.
std::string_view find_rejected_ip(std::string_view errmsg) noexcept;

/// The step's word, as docs/wechat-errors.md and the metrics say it.
std::string_view to_string(next_step step) noexcept;
std::string_view to_string(token_step step) noexcept;

} // namespace wxcourier::domain
