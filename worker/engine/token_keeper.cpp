// SPDX-License-Identifier: Apache-2.0
#include "engine/token_keeper.hpp"

#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {

using domain::block_reason;
using domain::token_health;

namespace {

/// Between two tries of an AppSecret that WeChat has not accepted yet.
constexpr std::chrono::minutes offer_interval{10};

bool says_wrong_secret(const token_reply& reply)
{
    return reply.token.empty() && reply.errcode &&
           domain::classify_token_failure(reply.errcode).reason == domain::wrong_secret;
}

} // namespace

token_keeper::token_keeper(domain::app_index app, const app_options& options,
                           std::shared_ptr<const access_token> before, token_api& api, domain::send_queue& queue,
                           clock& time, metrics_registry& metrics, std::function<double()> jitter,
                           std::function<void()> on_change)
    : app_(app), options_(options), before_(std::move(before)), generations_before_(before_ ? before_->generation : 0),
      wechat_(api), source_(&wechat_), queue_(queue), time_(time), jitter_(std::move(jitter)),
      on_change_(std::move(on_change)), plan_(options.token), secret_(options.app_secret), alarm_(time.make_alarm()),
      refreshes_(metrics["wxcourier_token_refreshes_total"]), rotations_(metrics["wxcourier_secret_rotations_total"]),
      halted_(metrics["wxcourier_app_halted"]), generation_(metrics["wxcourier_token_generation"].with({options.name}))
{
    queue_.block(app_, block_reason::no_token, time_.now());
    auto& expiry = metrics["wxcourier_token_expiry_seconds"].with({options.name});
    auto& age = metrics["wxcourier_token_age_seconds"].with({options.name});
    auto& owner = metrics["wxcourier_token_owner"].with({options.name});
    metrics.before_exposition([this, &expiry, &age, &owner] {
        const auto now = time_.now();
        const auto in_seconds = [](steady_duration time) { return std::chrono::duration<double>(time).count(); };
        expiry.set(token_ ? std::max(0.0, in_seconds(plan_.expires_at() - now)) : 0);
        age.set(token_ ? in_seconds(now - token_since_) : 0);
        owner.set(source_->asks() ? 1 : 0);
    });
    if (options.token.origin != domain::token_origin::stable)
        return;
    auto& forced = metrics["wxcourier_token_forced_calls_left"].with({options.name});
    metrics.before_exposition([this, &forced] { forced.set(plan_.forced_calls_left(time_.now())); });
}

asio::awaitable<void> token_keeper::run()
{
    while (!stopping_) {
        if (source_->asks() && plan_.due() <= time_.now())
            co_await renew();
        else if (may_try_offered() && offered_due_ <= time_.now())
            co_await try_offered();
        if (stopping_)
            break;
        apply_health();
        co_await alarm_->wait_until(next_look());
    }
}

std::optional<steady_time> token_keeper::next_look() const
{
    std::optional<steady_time> next;
    if (source_->asks())
        next = plan_.due();
    if (may_try_offered())
        next = std::min(next.value_or(steady_time::max()), offered_due_);
    if (plan_.health(time_.now()) == token_health::good)
        next = std::min(next.value_or(steady_time::max()), plan_.expires_at());
    return next;
}

void token_keeper::stop()
{
    stopping_ = true;
    if (!halted_for_.empty())
        halted_.remove({options_.name, halted_for_});
    halted_for_.clear();
    alarm_->wake();
}

asio::awaitable<void> token_keeper::renew()
{
    const auto call = plan_.next_call(time_.now());
    plan_.on_call(call, time_.now());
    const auto reply = co_await ask(call);
    if (stopping_)
        co_return;
    if (!reply.token.empty())
        take(reply);
    else
        take_failure(reply);
}

/// With the offered secret first; with the one in use where WeChat calls that wrong.
asio::awaitable<token_reply> token_keeper::ask(domain::token_call call)
{
    if (offered_) {
        const secret tried = *offered_;
        const token_request request{call, options_.appid, tried.reveal()};
        auto reply = co_await source_->ask(request);
        judge_offered(tried, reply);
        if (stopping_ || !source_->asks() || !says_wrong_secret(reply))
            co_return reply;
    }
    const secret used = secret_; // an offer must not touch what is being sent
    const token_request request{call, options_.appid, used.reveal()};
    auto reply = co_await source_->ask(request);
    co_return reply;
}

void token_keeper::offer_secret(secret offered)
{
    if (offered == secret_) { // taken back
        offered_.reset();
        return;
    }
    offered_ = std::move(offered);
    offered_due_ = time_.now();
    ask_soon();
}

void token_keeper::ask_soon()
{
    if (plan_.health(time_.now()) != token_health::good)
        plan_.renew_now();
    alarm_->wake();
}

void token_keeper::replace(std::function<void()> done)
{
    plan_.replace_now();
    if (options_.token.origin != domain::token_origin::classic)
        on_replaced_ = std::move(done);
    else if (token_)
        on_rejected(token_->generation); // whoever leads the group fetches another, and the log brings it to all
    alarm_->wake();
}

void token_keeper::take_up_replaced()
{
    if (options_.token.origin == domain::token_origin::classic)
        return;
    plan_.renew_now();
    alarm_->wake();
}

/// Whether the offered secret may be tried although no token is needed. An ordinary stable call changes nothing; a
/// classic one would end a good token, so there it waits for the next renewal.
bool token_keeper::may_try_offered() const
{
    return offered_ && source_->asks() && options_.token.origin == domain::token_origin::stable;
}

asio::awaitable<void> token_keeper::try_offered()
{
    const secret tried = *offered_;
    offered_due_ = time_.now() + offer_interval;
    const token_request request{domain::token_call::stable, options_.appid, tried.reveal()};
    const auto reply = co_await source_->ask(request);
    if (stopping_)
        co_return;
    judge_offered(tried, reply);
    if (!reply.token.empty())
        take(reply);
}

void token_keeper::judge_offered(const secret& tried, const token_reply& reply)
{
    if (!offered_ || !(*offered_ == tried))
        return; // a newer one has come meanwhile
    if (!reply.token.empty()) {
        secret_ = tried;
        offered_.reset();
        rotations_.with({options_.name, "accepted"}).add();
        log::info("token", "WeChat accepts the new AppSecret; it is in use", {{"app", options_.name}});
    } else if (says_wrong_secret(reply)) {
        offered_due_ = time_.now() + offer_interval;
        rotations_.with({options_.name, "refused"}).add();
        log::error("token",
                   "WeChat refuses the new AppSecret; the old one stays in use, and the new one is tried again",
                   {{"app", options_.name}, {"errcode", reply.errcode.value_or(0)}, {"errmsg", reply.errmsg}});
    }
}

void token_keeper::bring(const token_reply& reply)
{
    if (stopping_)
        return;
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
    if (token_ && token_->generation == generation()) {
        on_replaced_ = nullptr; // WeChat's limits kept the call from being a forced one
        return;
    }
    token_ = std::make_shared<const access_token>(access_token{reply.token, generation()});
    token_since_ = time_.now();
    generation_.set(static_cast<double>(generation()));
    log::info("token", "a new access token is in force",
              {{"app", options_.name},
               {"generation", generation()},
               {"expires_in_s", static_cast<std::int64_t>(reply.expires_in.count())}});
    if (const auto told = std::exchange(on_replaced_, nullptr))
        told();
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
                {"rejected_ip", domain::find_rejected_ip(reply.errmsg)},
                {"next_try_in_s", static_cast<std::int64_t>(wait.count())}});
}

void token_keeper::on_rejected(std::uint64_t generation)
{
    if (stopping_ || generation <= generations_before_ ||
        !plan_.on_rejected(generation - generations_before_, time_.now()))
        return;
    log::warn("token", "WeChat calls the access token dead; it is renewed once for all waiting messages",
              {{"app", options_.name}, {"generation", generation}});
    source_->on_dead(*token_, plan_.proven());
    apply_health();
    alarm_->wake();
}

void token_keeper::on_account_refused(std::string_view reason, const std::string& detail)
{
    if (stopping_)
        return;
    detail_ = detail;
    plan_.on_account_refused(time_.now(), reason);
    apply_health();
    alarm_->wake();
}

credential_report token_keeper::report() const
{
    const auto now = time_.now();
    credential_report report;
    report.health = plan_.health(now);
    report.reason = plan_.reason();
    if (!report.reason.empty())
        report.detail = detail_;
    report.owner = source_->owner();
    report.asks = source_->asks();
    report.generation = generation();
    if (token_)
        report.expires_in = std::chrono::floor<seconds>(std::max(plan_.expires_at() - now, steady_duration{0}));
    report.next_call = plan_.due();
    return report;
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
