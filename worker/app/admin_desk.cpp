// SPDX-License-Identifier: Apache-2.0
#include "app/admin_desk.hpp"

#include "codec/admin_codec.hpp"
#include "domain/reasons.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;
using action = ops::admin_call::action;
using engine::operator_scope;
using result = engine::operator_outcome::result;

/// Every replica that can read the fleet topic has read a record so long after one of them has.
constexpr seconds group_delay{2};
/// A rate's body is the largest there is.
constexpr std::size_t longest_body = 4096;
constexpr std::size_t most_connections = 64;

std::string word_of(operator_scope scope)
{
    return scope == operator_scope::group ? "group" : "instance";
}

std::string word_of(domain::token_health health)
{
    static constexpr std::array<const char*, 4> words{"missing", "good", "renewing", "halted"};
    return words.at(static_cast<std::size_t>(health));
}

ops::http_reply refusal(int status, std::string_view why)
{
    return ops::admin_reply(status, codec::encode_admin_error(why));
}

ops::http_reply receipt_of(const ops::admin_call& call, const engine::operator_outcome& outcome)
{
    switch (outcome.what) {
    case result::no_room:
        return refusal(409, "as much as may be is paused, or has a rate of its own, already; resume something first");
    case result::not_known:
        return refusal(503, "the fleet topic has not been read to its end yet; nothing was changed");
    case result::not_written:
        return refusal(503, "the fleet topic takes no records at the moment; nothing was changed");
    case result::unconfirmed:
        return refusal(503, "the change was handed to Kafka and has not been read back: it may still come into force; "
                            "GET /apps shows what holds, and the same call again does no harm");
    case result::done:
    case result::unchanged:
        break;
    }
    codec::admin_receipt receipt;
    receipt.done = call.what == action::pause ? "paused" : call.what == action::resume ? "resumed" : "rate_changed";
    receipt.about = describe(call.target);
    receipt.scope = word_of(call.scope);
    receipt.changed = outcome.what == result::done;
    receipt.in_force = outcome.in_force_at;
    if (call.scope == operator_scope::group)
        receipt.by_then = outcome.in_force_at + group_delay;
    receipt.offset = outcome.offset;
    return ops::admin_reply(200, codec::encode_admin_receipt(receipt));
}

void add_pauses(const domain::operator_state& state, const std::string& scope, const std::string& app,
                std::vector<codec::shown_pause>& into)
{
    for (auto& each : state.pauses())
        if (each.target.app.empty() || each.target.app == app)
            into.push_back({std::move(each.target), scope, std::move(each.mark)});
}

} // namespace

admin_desk::admin_desk(asio::any_io_executor executor, const config::admin_settings& settings, std::string worker,
                       engine::courier& courier, engine::clock& time, metrics_registry& metrics,
                       std::function<void()> drain)
    : worker_(std::move(worker)), courier_(courier), metrics_(metrics), drain_(std::move(drain)),
      gate_(
          settings.token, [this](ops::admin_call call) { return perform(std::move(call)); }, time, metrics),
      listener_(std::move(executor),
                {.name = "admin",
                 .host = settings.listen->host,
                 .port = settings.listen->port,
                 .most_connections = most_connections,
                 .longest_body = longest_body},
                [this](const ops::http_question& question) { return gate_.answer(question); })
{
}

asio::awaitable<ops::http_reply> admin_desk::perform(ops::admin_call call)
{
    if (!call.target.app.empty() && !courier_.find_app(call.target.app))
        co_return refusal(404, "the configuration has no app " + call.target.app);
    switch (call.what) {
    case action::list:
        co_return list();
    case action::refresh:
        co_return refresh_tokens(call);
    case action::drain:
        co_return begin_drain(call);
    case action::pause:
    case action::resume:
    case action::rate:
        break;
    }
    auto reply = co_await agree(std::move(call));
    co_return reply;
}

asio::awaitable<ops::http_reply> admin_desk::agree(ops::admin_call call)
{
    auto& operators = courier_.operators();
    auto said = call.what == action::pause    ? operators.pause(call.target, call.scope, call.by)
                : call.what == action::resume ? operators.resume(call.target, call.scope, call.by)
                                              : operators.change_rate(call.target.app, call.rate, call.scope, call.by);
    const auto outcome = co_await std::move(said);
    co_return receipt_of(call, outcome);
}

ops::http_reply admin_desk::list()
{
    const auto& operators = courier_.operators();
    std::vector<codec::shown_app> shown;
    for (domain::app_index app = 0; app < courier_.apps().size(); ++app) {
        const auto& options = courier_.apps()[app];
        if (options.removed)
            continue;
        const auto token = courier_.credential_state(app);
        codec::shown_app each;
        each.name = options.name;
        each.rate_now = metrics_["wxcourier_rate_limit"].with({options.name}).value();
        each.rate_configured = options.limits.rate_per_second;
        each.burst_configured = options.limits.burst;
        each.concurrency_configured = options.limits.concurrency;
        each.said = operators.limits_of(app);
        each.queued = courier_.queued(app);
        each.in_flight = courier_.in_flight(app);
        each.token_state = word_of(token.health);
        each.token_reason = token.reason;
        each.token_expires_in = token.expires_in;
        add_pauses(operators.group(), "group", options.name, each.pauses);
        add_pauses(operators.instance(), "instance", options.name, each.pauses);
        const bool paused = operators.group().pauses_app(options.name) || operators.instance().pauses_app(options.name);
        each.state = !operators.known()                             ? "unagreed"
                     : paused                                       ? "paused"
                     : token.health == domain::token_health::halted ? "halted"
                     : token.health == domain::token_health::good   ? "sending"
                                                                    : "no_token";
        shown.push_back(std::move(each));
    }
    return ops::admin_reply(200, codec::encode_admin_apps(worker_, operators.known(), shown));
}

ops::http_reply admin_desk::refresh_tokens(const ops::admin_call& call)
{
    for (domain::app_index app = 0; app < courier_.apps().size(); ++app) {
        const auto& options = courier_.apps()[app];
        if (!options.removed && (call.target.app.empty() || options.name == call.target.app))
            courier_.tokens().replace_token(app, call.scope == operator_scope::group);
    }
    courier_.operators().tell(domain::reason::token_refreshed, call.target, call.by);
    codec::admin_receipt receipt;
    receipt.done = "token_refresh_begun";
    receipt.about = describe(call.target);
    receipt.scope = word_of(call.scope);
    return ops::admin_reply(202, codec::encode_admin_receipt(receipt));
}

ops::http_reply admin_desk::begin_drain(const ops::admin_call& call)
{
    courier_.operators().tell(domain::reason::drain, {}, call.by);
    drain_();
    codec::admin_receipt receipt;
    receipt.done = "draining";
    receipt.about = worker_;
    receipt.scope = "instance";
    return ops::admin_reply(202, codec::encode_admin_receipt(receipt));
}

} // namespace wxcourier::app
