// SPDX-License-Identifier: Apache-2.0
/// @file
/// One app's access token: asks its source when the plan says so, and tells the queue what the app may do.
#pragma once

#include "common/metrics.hpp"
#include "domain/send_queue.hpp"
#include "domain/token_refresh_plan.hpp"
#include "engine/credentials.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::engine {

/// Part of `credentials`, which documents what it does. Not thread-safe.
class token_keeper {
public:
    /// @param before  the last token of the keeper that this one replaces: what was let go with it ends with it, and
    /// generations never repeat within an app. Null: there was none.
    token_keeper(domain::app_index app, const app_options& options, std::shared_ptr<const access_token> before,
                 token_api& api, domain::send_queue& queue, clock& time, metrics_registry& metrics,
                 std::function<double()> jitter, std::function<void()> on_change);

    void use_source(token_source& source) { source_ = &source; }

    /// Keeps the token current until stop().
    asio::awaitable<void> run();
    /// Asks for nothing more, and no longer says what the app may do. The token that it has stays readable.
    void stop();

    void bring(const token_reply& reply);
    void offer_secret(secret offered);
    void ask_soon();
    /// @param done  called when a token has come that is another one; empty: nobody is to be told.
    void replace(std::function<void()> done);
    void take_up_replaced();
    void look_again() { alarm_->wake(); }
    void on_rejected(std::uint64_t generation);
    void on_accepted(std::uint64_t generation)
    {
        if (generation > generations_before_)
            plan_.on_accepted(generation - generations_before_);
    }
    void on_account_refused(std::string_view reason, const std::string& detail);

    [[nodiscard]] const std::shared_ptr<const access_token>& current() const { return token_ ? token_ : before_; }
    [[nodiscard]] credential_report report() const;

private:
    /// The source of an app that has no other: WeChat's own calls.
    class wechat_source final : public token_source {
    public:
        explicit wechat_source(token_api& api) : api_(api) {}
        asio::awaitable<token_reply> ask(token_request request) override { return api_.fetch(request); }

    private:
        token_api& api_;
    };

    asio::awaitable<void> renew();
    asio::awaitable<token_reply> ask(domain::token_call call);
    asio::awaitable<void> try_offered();
    void judge_offered(const secret& tried, const token_reply& reply);
    [[nodiscard]] std::optional<steady_time> next_look() const;
    [[nodiscard]] bool may_try_offered() const;
    void take(const token_reply& reply);
    void take_failure(const token_reply& reply);
    void apply_health();
    void show_halt(bool halted);

    [[nodiscard]] std::uint64_t generation() const noexcept { return generations_before_ + plan_.generation(); }

    domain::app_index app_;
    const app_options& options_;
    const std::shared_ptr<const access_token> before_;
    const std::uint64_t generations_before_; ///< The plan counts its own.
    wechat_source wechat_;
    token_source* source_;
    domain::send_queue& queue_;
    clock& time_;
    std::function<double()> jitter_;
    std::function<void()> on_change_;
    domain::token_refresh_plan plan_;
    secret secret_;                 ///< The AppSecret that calls are made with.
    std::optional<secret> offered_; ///< A newer one that WeChat has not accepted yet; tried before it.
    steady_time offered_due_{};     ///< When it is tried although no token is needed.
    std::shared_ptr<const access_token> token_;
    steady_time token_since_{};
    std::unique_ptr<alarm> alarm_;
    std::function<void()> on_replaced_; ///< Told when the token comes that an operator wanted.
    std::string detail_;
    std::string halted_for_;
    bool stopping_ = false;
    metric_family& refreshes_;
    metric_family& rotations_;
    metric_family& halted_;
    metric_series& generation_;
};

} // namespace wxcourier::engine
