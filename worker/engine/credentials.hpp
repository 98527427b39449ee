// SPDX-License-Identifier: Apache-2.0
/// @file
/// Every app's access token: one coroutine an app keeps it current; senders only read it.
#pragma once

#include "common/metrics.hpp"
#include "domain/send_queue.hpp"
#include "domain/token_refresh_plan.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/task_group.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::engine {

/// What /readyz and `deferred` statuses say about an app's credentials.
struct credential_report {
    domain::token_health health = domain::token_health::missing;
    std::string_view reason;      ///< Empty when all is well.
    std::string detail;           ///< WeChat's words, such as the rejected IP of 40164. Never a secret.
    std::string owner;            ///< The replica that fetches its tokens. Empty: each does so on its own.
    bool asks = true;             ///< This process is one that fetches them.
    std::uint64_t generation = 0; ///< Of the token in use; 0: none yet.
    seconds expires_in{0};
    steady_time next_call{};
};

class token_keeper;

/// The token refreshers. An app without a usable token is blocked in the send queue, so that its jobs wait and others
/// do not notice. Single flight: whoever finds a token dead only marks it; the app's one coroutine renews it, once.
class credentials {
public:
    /// @param on_change  called when an app may send again, or no longer.
    credentials(const std::deque<app_options>& apps, token_api& api, domain::send_queue& queue, clock& time,
                metrics_registry& metrics, std::function<double()> jitter, std::function<void()> on_change);
    ~credentials();
    credentials(const credentials&) = delete;
    credentials& operator=(const credentials&) = delete;

    /// Has the app's tokens come from there. Before its coroutine starts; the source must outlive this object.
    void use_source(domain::app_index app, token_source& source);

    /// The last of the apps is new: makes its keeper, without starting it.
    void add_app();
    /// What the app's tokens come from has changed: a new keeper begins without a token, and is not started yet. Sends
    /// under way end with the token they have.
    void renew_keeper(domain::app_index app);
    /// Starts the app's coroutine, if the others have been started.
    void start_app(domain::app_index app);
    /// Ends the app's coroutine: its tokens are no longer kept current.
    void stop_app(domain::app_index app);
    /// A token, or why there is none, that this process did not ask for: a source that follows brings it. A token that
    /// is in use already changes its expiry only.
    void bring(domain::app_index app, const token_reply& reply);
    /// A new AppSecret, well-formed. It replaces the old one once WeChat has given a token for it; until then, and when
    /// WeChat calls it wrong, the old one stays in use beside it.
    void offer_secret(domain::app_index app, secret offered);
    /// What a source asks with has changed: an app without a good token tries again at once.
    void ask_soon(domain::app_index app);
    /// An operator wants another token than the present one.
    /// @param for_group  `on_replaced` is told once it has come.
    void replace_token(domain::app_index app, bool for_group);
    /// Told of an app whose token was replaced as an operator wanted it, for the whole group.
    void on_replaced(std::function<void(domain::app_index)> told) { on_replaced_ = std::move(told); }
    /// Another replica has replaced the app's token: the same call as at a renewal brings the new one here. The tokens
    /// of a `classic` app come over the log by themselves.
    void take_up_replaced(domain::app_index app);
    /// The answer of the app's `token_source::asks` has changed.
    void look_again(domain::app_index app);

    /// Starts the coroutines; they end after stop().
    void start(task_group& tasks);
    void stop();

    /// The token to send with. Null: the app has none; it is blocked in the queue then.
    [[nodiscard]] std::shared_ptr<const access_token> current(domain::app_index app) const;

    /// WeChat's answer to a send with that token: it is dead.
    void on_rejected(domain::app_index app, std::uint64_t generation);
    /// WeChat's answer to a send with that token had nothing to say about it.
    void on_accepted(domain::app_index app, std::uint64_t generation);
    /// WeChat's answer to a send: the account needs a person.
    void on_account_refused(domain::app_index app, std::string_view reason, const std::string& detail);

    [[nodiscard]] credential_report report(domain::app_index app) const;

private:
    std::unique_ptr<token_keeper> make_keeper(domain::app_index app, std::shared_ptr<const access_token> before);

    const std::deque<app_options>& apps_;
    token_api& api_;
    domain::send_queue& queue_;
    clock& time_;
    metrics_registry& metrics_;
    std::function<double()> jitter_;
    std::function<void()> on_change_;
    std::function<void(domain::app_index)> on_replaced_;
    task_group* tasks_ = nullptr; ///< Null: not started.
    std::vector<std::unique_ptr<token_keeper>> keepers_;
    std::vector<std::unique_ptr<token_keeper>> replaced_; ///< Their coroutines may still be in a call.
};

} // namespace wxcourier::engine
