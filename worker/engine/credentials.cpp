// SPDX-License-Identifier: Apache-2.0
#include "engine/credentials.hpp"

#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {

using domain::block_reason;
using domain::token_health;

/// One app's token.
class credentials::keeper {
public:
    keeper(domain::app_index app, const app_options& options, token_api& api, domain::send_queue& queue, clock& time,
           metrics_registry& metrics, std::function<double()> jitter, std::function<void()> on_change)
        : app_(app), options_(options), api_(api), queue_(queue), time_(time), jitter_(std::move(jitter)),
          on_change_(std::move(on_change)), plan_(options.token), alarm_(time.make_alarm()),
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

    asio::awaitable<void> run()
    {
        while (!stopping_) {
            const auto now = time_.now();
            if (plan_.due() <= now)
                co_await renew();
            apply_health();
            if (stopping_)
                break;
            auto next = plan_.due();
            if (plan_.health(time_.now()) == token_health::good)
                next = std::min(next, plan_.expires_at());
            co_await alarm_->wait_until(next);
        }
    }

    void stop()
    {
        stopping_ = true;
        alarm_->wake();
    }

    void on_rejected(std::uint64_t generation)
    {
        if (!plan_.on_rejected(generation, time_.now()))
            return;
        log::warn("token", "WeChat calls the access token dead; it is renewed once for all waiting messages",
                  {{"app", options_.name}, {"generation", generation}});
        apply_health();
        alarm_->wake();
    }

    void on_accepted(std::uint64_t generation) { plan_.on_accepted(generation); }

    void on_account_refused(std::string_view reason, const std::string& detail)
    {
        detail_ = detail;
        plan_.on_account_refused(time_.now(), reason);
        apply_health();
        alarm_->wake();
    }

    [[nodiscard]] const std::shared_ptr<const access_token>& current() const { return token_; }

    [[nodiscard]] credential_report report() const
    {
        return {plan_.health(time_.now()), plan_.reason(), plan_.reason().empty() ? std::string{} : detail_,
                plan_.due()};
    }

private:
    asio::awaitable<void> renew()
    {
        const auto call = plan_.next_call(time_.now());
        plan_.on_call(call, time_.now());
        const token_request request{call, options_.appid, options_.app_secret.reveal()};
        const auto reply = co_await api_.fetch(request);
        const auto now = time_.now();
        if (!reply.token.empty()) {
            take(reply, now);
        } else if (!stopping_) {
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
    }

    void take(const token_reply& reply, steady_time now)
    {
        const bool same = token_ && token_->text == reply.token;
        plan_.on_token(now, reply.expires_in, same);
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

    /// Tells the queue, the metrics and the log what the app's credentials allow, when that has changed.
    void apply_health()
    {
        const auto now = time_.now();
        const auto health = plan_.health(now);
        const bool halted = health == token_health::halted;
        const auto set = [this, now](block_reason reason, bool blocked) {
            if (blocked)
                queue_.block(app_, reason, now);
            else
                queue_.unblock(app_, reason, now);
        };
        set(block_reason::no_token, health == token_health::missing || health == token_health::renewing);
        set(block_reason::halted, halted);
        const std::string reason(halted ? plan_.reason() : std::string_view{});
        if (reason != halted_for_) {
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
        on_change_();
    }

    domain::app_index app_;
    const app_options& options_;
    token_api& api_;
    domain::send_queue& queue_;
    clock& time_;
    std::function<double()> jitter_;
    std::function<void()> on_change_;
    domain::token_refresh_plan plan_;
    std::shared_ptr<const access_token> token_;
    std::unique_ptr<alarm> alarm_;
    std::string detail_;
    std::string halted_for_;
    bool stopping_ = false;
    metric_family& refreshes_;
    metric_family& halted_;
    metric_series& generation_;
};

credentials::credentials(const std::vector<app_options>& apps, token_api& api, domain::send_queue& queue, clock& time,
                         metrics_registry& metrics, std::function<double()> jitter, std::function<void()> on_change)
{
    for (std::size_t i = 0; i < apps.size(); ++i)
        keepers_.push_back(std::make_unique<keeper>(static_cast<domain::app_index>(i), apps[i], api, queue, time,
                                                    metrics, jitter, on_change));
}

credentials::~credentials() = default;

void credentials::start(task_group& tasks)
{
    for (const auto& each : keepers_)
        tasks.spawn(each->run());
}

void credentials::stop()
{
    for (const auto& each : keepers_)
        each->stop();
}

std::shared_ptr<const access_token> credentials::current(domain::app_index app) const
{
    return keepers_[app]->current();
}

void credentials::on_rejected(domain::app_index app, std::uint64_t generation)
{
    keepers_[app]->on_rejected(generation);
}

void credentials::on_accepted(domain::app_index app, std::uint64_t generation)
{
    keepers_[app]->on_accepted(generation);
}

void credentials::on_account_refused(domain::app_index app, std::string_view reason, const std::string& detail)
{
    keepers_[app]->on_account_refused(reason, detail);
}

credential_report credentials::report(domain::app_index app) const
{
    return keepers_[app]->report();
}

} // namespace wxcourier::engine
