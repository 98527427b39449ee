// SPDX-License-Identifier: Apache-2.0
/// @file
/// When to fetch an app's next access token, and how. Facts: the two token endpoints' rules (docs/wechat-errors.md,
/// docs/reference.md, credentials).
#pragma once

#include "common/time.hpp"
#include "domain/classify.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::domain {

/// Where an app's tokens come from (`token.source`).
enum class token_origin : std::uint8_t {
    stable,  ///< /cgi-bin/stable_token: gives the same token to everybody who asks.
    classic, ///< /cgi-bin/token: every call ends the token before the last.
    shared,  ///< The company's own token server.
};

enum class token_call : std::uint8_t { stable, stable_forced, classic, shared };

/// What the app may do about its token.
enum class token_health : std::uint8_t {
    missing, ///< None yet, or the last one has expired: the app's jobs wait.
    good,
    renewing, ///< WeChat called the current one dead: nothing is sent until a new one is here.
    halted,   ///< A person is needed; asked again slowly, and recovers alone.
};

struct token_plan_limits {
    token_origin origin = token_origin::stable;
    /// How long before its expiry a token is renewed. A stable token is given anew in its last 5 minutes only.
    seconds renew_before{290};
    seconds forced_calls_apart{30}; ///< WeChat's limit on forced stable calls …
    int forced_calls_a_day = 20;    ///< … and the other one.
    milliseconds calls_apart{0};    ///< Between the starts of two calls of any kind, at least.
};

/// Decides about one app's token. Pure: no clock, no timer, no I/O; a coroutine asks, waits, reports. One call is under
/// way at a time. Not thread-safe.
class token_refresh_plan {
public:
    explicit token_refresh_plan(token_plan_limits limits) : limits_(limits) {}

    /// When the next call is due; steady_time::min() means now.
    [[nodiscard]] steady_time due() const noexcept;
    /// Which call to make.
    [[nodiscard]] token_call next_call(steady_time now) const noexcept;
    /// That call begins.
    void on_call(token_call call, steady_time now);

    /// A token came. `same_as_before`: it is the very text that was in use.
    void on_token(steady_time now, seconds expires_in, bool same_as_before) noexcept;
    /// None came. `jitter` in [0, 1), drawn by the caller.
    void on_failure(steady_time now, token_verdict why, double jitter) noexcept;

    /// A send with the token of `generation` was told that the token is dead. An older generation changes nothing.
    /// True: a renewal is due now because of it.
    bool on_rejected(std::uint64_t generation, steady_time now) noexcept;
    /// A send with the token of `generation` was not told so: the token works.
    void on_accepted(std::uint64_t generation) noexcept;
    /// A send's answer says that the account needs a person (50004, 50007).
    void on_account_refused(steady_time now, std::string_view reason) noexcept;
    /// An operator or a new secret asks for a fresh start.
    void renew_now() noexcept;
    /// An operator asks for another token although this one may be good: the next call is a forced one where WeChat has
    /// such a call and its limits allow it. The present token stays in use until then.
    void replace_now() noexcept;

    [[nodiscard]] token_health health(steady_time now) const noexcept;
    /// Why it is halted, or why there is no token: a reason of docs/reference.md. Empty when all is well.
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }
    /// Forced stable calls that may still be made within the day's budget.
    [[nodiscard]] int forced_calls_left(steady_time now) const noexcept;
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    /// Whether a send has worked with the current token.
    [[nodiscard]] bool proven() const noexcept { return proven_; }
    [[nodiscard]] steady_time expires_at() const noexcept { return expires_at_; }

private:
    [[nodiscard]] bool may_force(steady_time now) const noexcept;

    token_plan_limits limits_;
    steady_time due_ = steady_time::min();
    std::optional<steady_time> last_call_;
    bool last_forced_ = false;
    bool forced_wanted_ = false;
    steady_time expires_at_ = steady_time::min();
    std::uint64_t generation_ = 0;
    int failures_ = 0;         ///< Token calls in a row that gave none.
    int fresh_rejections_ = 0; ///< Tokens in a row that were called dead before one send worked.
    bool rejected_ = false;    ///< The current token was called dead.
    bool proven_ = false;      ///< A send worked with the current token.
    int same_came_back_ = 0;   ///< How often in a row the dead token was given again.
    bool halted_ = false;
    bool account_refused_ = false;   ///< Not the token but the account was refused.
    int account_refusals_ = 0;       ///< In a row, without one send that worked between them.
    std::string_view reason_;        ///< Points into tables that live for the whole program.
    std::deque<steady_time> forced_; ///< Forced calls of the last day.
};

} // namespace wxcourier::domain
