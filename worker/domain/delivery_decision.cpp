// SPDX-License-Identifier: Apache-2.0
#include "domain/delivery_decision.hpp"

#include "domain/calendar.hpp"

#include <algorithm>

namespace wxcourier::domain {
namespace {

/// 43117 and 40241 name windows of a minute (docs/wechat-errors.md).
constexpr std::chrono::seconds recipient_pause{60};

delivery_decision end(job_state state, std::string_view reason) noexcept
{
    delivery_decision decision;
    decision.ended = state;
    decision.reason = reason;
    return decision;
}

delivery_decision again(steady_time at, std::string_view reason) noexcept
{
    delivery_decision decision;
    decision.again_at = at;
    decision.reason = reason;
    decision.backed_off = true;
    return decision;
}

delivery_decision park_until(wall_time until, steady_time now, wall_time wall_now, std::string_view reason) noexcept
{
    delivery_decision decision;
    decision.again_at = now + (until - wall_now);
    decision.park_lane_until = decision.again_at;
    decision.reason = reason;
    return decision;
}

delivery_decision back_off(const push_reply& reply, const attempt_history& history, const delivery_rules& rules,
                           steady_time now, double jitter, std::string_view reason) noexcept
{
    const auto& own = rules.per_class.at(static_cast<std::size_t>(retry_class_of(reply)));
    if (history.active_for >= own.give_up_after.value_or(rules.give_up_after))
        return end(job_state::failed, "retries_exhausted");
    auto limits = rules.retry;
    limits.max = own.max.value_or(limits.max);
    limits.initial = std::min(limits.initial, limits.max);
    auto wait = backoff_delay(limits, history.retries, jitter);
    if (reply.retry_after)
        wait = std::max<steady_duration>(wait, *reply.retry_after);
    return again(now + wait, reason);
}

} // namespace

retry_class retry_class_of(const push_reply& reply) noexcept
{
    if (reply.reach != reach::answered || reply.failure != transport_failure::none)
        return retry_class::network;
    return classify(reply, false).step == next_step::park_recipient ? retry_class::recipient : retry_class::busy;
}

bool may_repeat(const attempt_history& history, const delivery_rules& rules, steady_time now) noexcept
{
    if (!history.first_unknown)
        return true;
    if (rules.at_most_once)
        return false;
    const bool dropped_by_wechat =
        history.takes_client_msg_id && now - *history.first_unknown < client_msg_id_window - client_msg_id_margin;
    return dropped_by_wechat || !rules.report_unknown;
}

bool may_have_arrived(const push_reply& reply) noexcept
{
    const auto step = classify(reply, false).step;
    return step == next_step::accept || step == next_step::retry_unknown;
}

bool is_outage(const push_reply& reply) noexcept
{
    return reply.reach != reach::answered || reply.http_status >= 500 || reply.http_status == 429 ||
           reply.http_status == 401 || reply.http_status == 403;
}

delivery_decision decide(const push_reply& reply, attempt_history history, const delivery_rules& rules, steady_time now,
                         wall_time wall_now, double jitter) noexcept
{
    const auto verdict = classify(reply, history.first_unknown && reply.reach == reach::answered);
    delivery_decision decision;
    switch (verdict.step) {
    case next_step::accept:
        decision = end(job_state::sent, {});
        break;
    case next_step::fail:
        decision = end(job_state::failed, verdict.reason);
        break;
    case next_step::retry_unknown:
        history.first_unknown = history.first_unknown.value_or(history.attempt_began);
        decision = may_repeat(history, rules, now) ? back_off(reply, history, rules, now, jitter, verdict.reason)
                                                   : end(job_state::failed, "outcome_unknown");
        decision.repeats = !decision.ended;
        decision.outcome_unknown = true;
        break;
    case next_step::retry:
        decision = back_off(reply, history, rules, now, jitter, verdict.reason);
        decision.repeats = !decision.ended;
        break;
    case next_step::park_recipient:
        decision = back_off(reply, history, rules, now, jitter, verdict.reason);
        if (!decision.ended && reply.errcode != 43108) // 43108: several sends at once; a short wait will do
            decision.again_at = std::max(decision.again_at, now + recipient_pause);
        decision.hold_recipient = !decision.ended;
        break;
    case next_step::park_minute:
        decision = park_until(next_minute(wall_now), now, wall_now, verdict.reason);
        break;
    case next_step::park_day:
        decision = park_until(next_day_in_china(wall_now), now, wall_now, verdict.reason);
        break;
    case next_step::renew_token:
        decision.again_at = now;
        decision.reason = verdict.reason;
        decision.renew_token = true;
        break;
    case next_step::halt_app:
        decision.again_at = now;
        decision.reason = verdict.reason;
        decision.halt_app = true;
        break;
    }
    decision.known_code = verdict.known_code;
    return decision;
}

} // namespace wxcourier::domain
