// SPDX-License-Identifier: Apache-2.0
// What WeChat is asked about the day's quotas, and what its refusals lead to: the part of fleet_quotas that talks to
// it.
#include "common/log.hpp"
#include "engine/fleet_quotas.hpp"

#include <algorithm>

namespace wxcourier::engine {
namespace {

/// Whether WeChat is to be asked is looked at so often; so many questions at once.
constexpr seconds inquire_interval{1};
constexpr std::size_t most_questions = 4;
/// After a refusal, while WeChat's answer about the quota is awaited …
constexpr seconds wait_for_answer{10};
/// … and where something is left all the same: so long, twice as long each time, up to …
constexpr seconds first_park{15};
constexpr std::chrono::hours longest_park{1};
/// Without a refusal for so long after a park the next one is short again.
constexpr std::chrono::minutes forget_refusals{10};

} // namespace

void fleet_quotas::inquire(steady_time now)
{
    if (api_ == nullptr || options_.dry_run || !voice_.leads() ||
        (inquired_at_ != steady_time::min() && now - inquired_at_ < inquire_interval))
        return;
    inquired_at_ = now;
    for (auto& each : calls_) {
        if (asking_ >= most_questions)
            break;
        if (!each.where || each.asking || !each.today->ledger.in_use() || options_.apps[each.where->app].removed)
            continue;
        auto& day = *each.today;
        const domain::quota_inquiry::situation now_is{configured(each)->daily.has_value(), day.ledger.spent() > 0,
                                                      is_exhausted(day), day.ledger.short_of_it(),
                                                      day.ledger.refused()};
        if (!day.inquiry.due(now_is, now) || !with_.tokens.current(each.where->app))
            continue;
        day.inquiry.on_asked(now_is, now);
        each.asking = true;
        ++asking_;
        with_.tasks.spawn(ask(each, day_));
    }
}

/// Whatever comes of it, no message waits for it and the app is not blamed.
asio::awaitable<void> fleet_quotas::ask(call_state& state, std::int64_t number)
{
    const auto token = state.where ? with_.tokens.current(state.where->app) : nullptr;
    const auto spent = state.days[number].ledger.spent();
    quota_reply reply;
    if (token)
        reply = co_await api_->ask({state.kind, token->text.reveal()});
    state.asking = false;
    --asking_;
    const auto asked_of = state.days.find(number);
    if (stopping_ || asked_of == state.days.end())
        co_return;
    auto& day = asked_of->second;
    if (!reply.standing) {
        day.inquiry.on_failed();
        questions_.with({state.app, "failed"}).add();
        log::info("quota", "WeChat does not say how much of the day's quota is left; asked again later",
                  {{"app", state.app},
                   {"call", state.call},
                   {"errcode", reply.errcode.value_or(0)},
                   {"errmsg", reply.errmsg}});
        co_return;
    }
    questions_.with({state.app, "answered"}).add();
    const auto* const quota = configured(state);
    day.inquiry.on_answer(*reply.standing, spent, quota != nullptr ? quota->reserve_percent : 0);
    log::info("quota", "WeChat says how much of the day's quota is left",
              {{"app", state.app},
               {"call", state.call},
               {"daily_limit", reply.standing->daily_limit},
               {"remain", reply.standing->remain}});
    touch(state);
    grant();
}

std::optional<steady_duration> fleet_quotas::wait_after_refusal(domain::lane where)
{
    auto* const state = find_or_make(where);
    if (state == nullptr)
        return std::nullopt;
    const auto now = with_.time.now();
    auto& today = *state->today;
    today.allowance.on_refused();
    if (today.allowance.used_up(true))
        return std::nullopt;
    if (const auto parked = with_.queue.parked_until(where, now))
        return *parked - now; // others were under way
    const bool known = today.ledger.known() && (today.ledger.limit().bounded() || today.inquiry.answered());
    if (now - state->parked_to >= forget_refusals && state->parked_to != steady_time::min())
        state->refusals = 0;
    const auto before = state->refusals++;
    steady_duration wait = wait_for_answer;
    if (!known && (api_ == nullptr || before != 0))
        return std::nullopt; // nobody knows better than WeChat: until the day ends
    if (known) {
        constexpr unsigned most_doublings = 8;
        wait = std::min<steady_duration>(first_park * (1U << std::min(before, most_doublings)), longest_park);
    }
    state->parked_to = now + wait;
    return wait;
}

} // namespace wxcourier::engine
