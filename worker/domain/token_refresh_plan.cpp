// SPDX-License-Identifier: Apache-2.0
#include "domain/token_refresh_plan.hpp"

#include "domain/backoff.hpp"

#include <algorithm>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr backoff_limits call_backoff{milliseconds{1000}, milliseconds{60'000}};
constexpr backoff_limits halt_backoff{milliseconds{60'000}, milliseconds{600'000}};

/// Half of the wait at least: an app whose token call fails must not hammer, whatever is drawn.
steady_duration spaced(const backoff_limits& limits, int retry, double jitter) noexcept
{
    return backoff_delay(limits, retry, 0.5 + jitter / 2);
}

} // namespace

steady_time token_refresh_plan::due() const noexcept
{
    return last_call_ ? std::max<steady_time>(due_, *last_call_ + limits_.calls_apart) : due_;
}

token_call token_refresh_plan::next_call(steady_time now) const noexcept
{
    switch (limits_.origin) {
    case token_origin::classic:
        return token_call::classic;
    case token_origin::shared:
        return token_call::shared;
    case token_origin::stable:
        break;
    }
    return (same_came_back_ != 0 || forced_wanted_) && may_force(now) ? token_call::stable_forced : token_call::stable;
}

int token_refresh_plan::forced_calls_left(steady_time now) const noexcept
{
    const auto today = std::count_if(forced_.begin(), forced_.end(), [now](auto at) { return at > now - hours{24}; });
    return std::max(0, limits_.forced_calls_a_day - static_cast<int>(today));
}

bool token_refresh_plan::may_force(steady_time now) const noexcept
{
    return forced_calls_left(now) > 0 && (forced_.empty() || now - forced_.back() >= limits_.forced_calls_apart);
}

void token_refresh_plan::on_call(token_call call, steady_time now)
{
    last_call_ = now;
    forced_wanted_ = false;
    last_forced_ = call == token_call::stable_forced;
    if (!last_forced_)
        return;
    while (!forced_.empty() && forced_.front() <= now - hours{24})
        forced_.pop_front();
    forced_.push_back(now);
}

void token_refresh_plan::on_token(steady_time now, seconds expires_in, bool same_as_before) noexcept
{
    failures_ = 0;
    expires_at_ = now + expires_in;
    if (same_as_before && rejected_ && !account_refused_) {
        // WeChat says that it is dead, and it is given again: a forced call is due as soon as its limits allow. A token
        // server of others has no such call; it is asked again until it has noticed.
        const int before = same_came_back_++;
        if (limits_.origin == token_origin::shared)
            due_ = now + spaced(call_backoff, before, 0);
        else
            due_ = before == 0 && may_force(now) ? steady_time::min() : now + limits_.forced_calls_apart;
        return;
    }
    same_came_back_ = 0;
    // Half of a short life at most, so that a token with seconds to live does not mean a call a second.
    const auto life = std::chrono::duration_cast<steady_duration>(expires_in);
    due_ = now + std::max<steady_duration>({life - limits_.renew_before, life / 2, std::chrono::seconds{1}});
    if (same_as_before && !account_refused_) {
        reason_ = {};
        return;
    }
    ++generation_;
    account_refused_ = false;
    rejected_ = false;
    proven_ = false;
    halted_ = false;
    reason_ = {};
}

void token_refresh_plan::on_failure(steady_time now, token_verdict why, double jitter) noexcept
{
    if (last_forced_ && why.step == token_step::park_day) {
        // The day's budget of forced calls alone is used up, by whoever shares the AppID: the ordinary call goes on.
        forced_.assign(static_cast<std::size_t>(limits_.forced_calls_a_day), now);
        reason_ = why.reason;
        due_ = now + limits_.forced_calls_apart;
        return;
    }
    const int retry = failures_++;
    reason_ = why.reason;
    switch (why.step) {
    case token_step::retry:
        due_ = now + spaced(call_backoff, retry, jitter);
        break;
    case token_step::halt:
        halted_ = true;
        due_ = now + spaced(halt_backoff, retry, jitter);
        break;
    case token_step::park_minute:
        due_ = now + minutes{1};
        break;
    case token_step::park_day: // asked again hourly: a quota can be cleared by hand
    case token_step::park_hour:
        due_ = now + hours{1};
        break;
    case token_step::park_ten_minutes:
        due_ = now + minutes{10};
        break;
    }
}

bool token_refresh_plan::on_rejected(std::uint64_t generation, steady_time now) noexcept
{
    if (generation != generation_ || rejected_)
        return false;
    rejected_ = true;
    fresh_rejections_ = proven_ ? 1 : fresh_rejections_ + 1;
    if (fresh_rejections_ < 2) {
        due_ = steady_time::min();
        return true;
    }
    // A second token in a row that never worked: more of the same would only burn the daily budget.
    halted_ = true;
    reason_ = "token_rejected";
    due_ = now + spaced(halt_backoff, fresh_rejections_ - 2, 0);
    return true;
}

void token_refresh_plan::on_accepted(std::uint64_t generation) noexcept
{
    if (generation != generation_)
        return;
    proven_ = true;
    fresh_rejections_ = 0;
    account_refusals_ = 0;
}

void token_refresh_plan::on_account_refused(steady_time now, std::string_view reason) noexcept
{
    if (account_refused_)
        return;
    account_refused_ = true;
    halted_ = true;
    reason_ = reason;
    rejected_ = true; // sends stop until the next token call, which is followed by a new try
    due_ = now + spaced(halt_backoff, account_refusals_++, 0);
}

void token_refresh_plan::renew_now() noexcept
{
    due_ = steady_time::min();
    failures_ = 0;
    fresh_rejections_ = 0;
    account_refusals_ = 0;
}

void token_refresh_plan::replace_now() noexcept
{
    renew_now();
    forced_wanted_ = true;
}

token_health token_refresh_plan::health(steady_time now) const noexcept
{
    const bool lives = generation_ != 0 && now < expires_at_;
    if (lives && !rejected_)
        return token_health::good; // also while the token call fails: what we have still works
    if (halted_)
        return token_health::halted;
    return lives ? token_health::renewing : token_health::missing;
}

} // namespace wxcourier::domain
