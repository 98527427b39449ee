// SPDX-License-Identifier: Apache-2.0
#include "engine/token_keeper.hpp"

#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {

using domain::block_reason;
using domain::token_health;

token_keeper::token_keeper(domain::app_index app, const app_options& options, token_api& api, domain::send_queue& queue,
                           clock& time, metrics_registry& metrics, std::function<double()> jitter,
                           std::function<void()> on_change)
    : app_(app), options_(options), wechat_(api), source_(&wechat_), queue_(queue), time_(time),
      jitter_(std::move(jitter)), on_change_(std::move(on_change)), plan_(options.token), alarm_(time.make_alarm()),
      refreshes_(metrics["wxcourier_token_refreshes_total"]), halted_(metrics["wxcourier_app_halted"]),
      generation_(metrics["wxcourier_token_generation"].with({options.name}))
{
    queue_.block(app_, block_reason::no_token, time_.now());
    auto& expiry = metrics["wxcourier_token_expiry_seconds"].with({options.name});
    metrics.before_exposition([this, &expiry] {
        const auto left = std::chrono::duration<double>(plan_.expires_at() - time_.now()).count();
        expiry.set(plan_.generation() == 0 ? 0 : std::max(0.0, left));
    });
}

asio::awaitable<void> token_keeper::run()
{
    while (!stopping_) {
        if (source_->asks() && plan_.due() <= time_.now())
            co_await renew();
        apply_health();
        if (stopping_)
            break;
        co_await alarm_->wait_until(next_look());
    }
}

std::optional<steady_time> token_keeper::next_look() const
{
    std::optional<steady_time> next;
    if (source_->asks())
        next = plan_.due();
    if (plan_.health(time_.now()) == token_health::good)
        next = std::min(next.value_or(steady_time::max()), plan_.expires_at());
    return next;
}

void token_keeper::stop()
{
    stopping_ = true;
    alarm_->wake();
}

asio::awaitable<void> token_keeper::renew()
{
    const auto call = plan_.next_call(time_.now());
    plan_.on_call(call, time_.now());
    const token_request request{call, options_.appid, options_.app_secret.reveal()};
    const auto reply = co_await source_->ask(request);
    if (!reply.token.empty())
        take(reply);
    else if (!stopping_)
        take_failure(reply);
}

void token_keeper::bring(const token_reply& reply)
{
    if (!reply.token.empty())
        take(reply);
    else
        take_failure(reply);
    apply_health();
    alarm_->wake();
}

void token_keeper::take(const token_reply& reply)
{
    const bool same = token_ && token_->text == reply.token;
    plan_.on_token(time_.now(), reply.expires_in, same);
    refreshes_.with({options_.name, same ? "same" : "renewed"}).add();
    if (token_ && token_->generation == plan_.generation())
        return;
    token_ = std::make_shared<const access_token>(access_token{reply.token, plan_.generation()});
    generation_.set(static_cast<double>(plan_.generation()));
    log::info("token", "a new access token is in force",
              {{"app", options_.name},
               {"generation", plan_.generation()},
               {"expires_in_s", static_cast<std::int64_t>(reply.expires_in.count())}});
}

void token_keeper::take_failure(const token_reply& reply)
{
    const auto now = time_.now();
    const auto verdict = domain::classify_token_failure(reply.errcode);
    plan_.on_failure(now, verdict, jitter_());
    detail_ = reply.errmsg;
    refreshes_.with({options_.name, std::string(verdict.reason)}).add();
    const auto wait = std::chrono::duration_cast<seconds>(plan_.due() - now);
    log::write(verdict.step == domain::token_step::retry ? log::level::warn : log::level::error, "token",
               "the token call gave no token",
               {{"app", options_.name},
                {"reason", verdict.reason},
                {"errcode", reply.errcode.value_or(0)},
                {"errmsg", reply.errmsg},
                {"next_try_in_s", static_cast<std::int64_t>(wait.count())}});
}

void token_keeper::on_rejected(std::uint64_t generation)
{
    if (!plan_.on_rejected(generation, time_.now()))
        return;
    log::warn("token", "WeChat calls the access token dead; it is renewed once for all waiting messages",
              {{"app", options_.name}, {"generation", generation}});
    source_->on_dead(*token_, plan_.proven());
    apply_health();
    alarm_->wake();
}

void token_keeper::on_account_refused(std::string_view reason, const std::string& detail)
{
    detail_ = detail;
    plan_.on_account_refused(time_.now(), reason);
    apply_health();
    alarm_->wake();
}

credential_report token_keeper::report() const
{
    return {plan_.health(time_.now()), plan_.reason(), plan_.reason().empty() ? std::string{} : detail_,
            source_->owner(), plan_.due()};
}

/// Tells the queue, the metrics and the log what the app's credentials allow, when that has changed.
void token_keeper::apply_health()
{
    const auto now = time_.now();
    const auto health = plan_.health(now);
    const auto set = [this, now](block_reason reason, bool blocked) {
        if (blocked)
            queue_.block(app_, reason, now);
        else
            queue_.unblock(app_, reason, now);
    };
    set(block_reason::no_token, health == token_health::missing || health == token_health::renewing);
    set(block_reason::halted, health == token_health::halted);
    show_halt(health == token_health::halted);
    on_change_();
}

void token_keeper::show_halt(bool halted)
{
    const std::string reason(halted ? plan_.reason() : std::string_view{});
    if (reason == halted_for_)
        return;
    if (!halted_for_.empty())
        halted_.remove({options_.name, halted_for_});
    if (halted) {
        halted_.with({options_.name, reason}).set(1);
        log::error("token", "the app is halted; its jobs wait, and it is tried again slowly",
                   {{"app", options_.name}, {"reason", reason}, {"detail", detail_}});
    } else {
        log::info("token", "the app is no longer halted", {{"app", options_.name}});
    }
    halted_for_ = reason;
}

} // namespace wxcourier::engine
