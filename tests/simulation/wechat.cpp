// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/wechat.hpp"

#include "domain/calendar.hpp"
#include "tests/support/replies.hpp"

#include <utility>

namespace wxcourier::simulation {
namespace {

using std::chrono::minutes;

constexpr minutes client_msg_id_memory{10};
constexpr seconds stable_token_tail{300}; ///< A stable token is given anew in its last five minutes.
constexpr seconds request_timeout{10};

std::string client_msg_id_in(const std::string& body)
{
    constexpr std::string_view member = R"("client_msg_id":")";
    const auto found = body.find(member);
    if (found == std::string::npos)
        return {};
    const auto begin = found + member.size();
    return body.substr(begin, body.find('"', begin) - begin);
}

/// What WeChat finally says to a message, apart from all that passes. It never changes its mind.
int verdict_on(const message_fact& message)
{
    switch ((message.job->number * 31 + message.index) % 40) {
    case 3:
        return 43101;
    case 17:
        return 40003;
    case 29:
        return 48001;
    default:
        return 0;
    }
}

} // namespace

wechat::wechat(test::manual_clock& time, chronicle& record, const setting& how)
    : time_(time), record_(record), how_(how), apps_(how.engine.apps.size())
{
}

// ------------------------------------------------------------------------------------------------------ what happens

void wechat::change_weather(weather to, steady_duration how_long)
{
    record_.note(static_cast<std::uint64_t>(to), [to] { return "weather " + std::to_string(static_cast<int>(to)); });
    weather_ = to;
    weather_until_ = time_.now() + how_long;
}

void wechat::kill_token(std::uint32_t app)
{
    record_.note(app, [app] { return "the token of app " + std::to_string(app) + " dies"; });
    auto& state = apps_[app];
    if (record_.chance(0.5))
        state.token_is_dead = true; // and is given again until somebody forces a new one
    else
        state.token = "token-" + std::to_string(app) + "-" + std::to_string(++state.issued);
}

void wechat::refuse_tokens(std::uint32_t app, int errcode, steady_duration how_long)
{
    record_.note(app,
                 [&] { return "token calls of app " + std::to_string(app) + " fail: " + std::to_string(errcode); });
    apps_[app].refused_with = errcode;
    apps_[app].refused_until = time_.now() + how_long;
}

void wechat::exhaust_minute(std::uint32_t app)
{
    apps_[app].minute_full_until = domain::next_minute(time_.wall_now());
}

void wechat::exhaust_day(std::uint32_t app)
{
    record_.note(app, [app] { return "the day quota of app " + std::to_string(app) + " is used up"; });
    apps_[app].day_full_until = domain::next_day_in_china(time_.wall_now());
}

void wechat::behave()
{
    well_behaved_ = true;
    weather_ = weather::fine;
    for (auto& each : apps_) {
        each.refused_until = {};
        each.minute_full_until.reset();
        each.day_full_until.reset();
    }
}

// --------------------------------------------------------------------------------------------------------------- sends

wechat::fate wechat::draw_fate()
{
    if (time_.now() >= weather_until_)
        weather_ = weather::fine;
    if (weather_ == weather::refused)
        return fate::refused;
    if (weather_ == weather::silent)
        return record_.chance(0.5) ? fate::answer_lost : fate::request_lost;
    if (well_behaved_)
        return fate::answered;
    const auto draw = record_.below(1000);
    if (draw < 12)
        return fate::answer_lost;
    if (draw < 20)
        return fate::request_lost;
    return draw < 30 ? fate::refused : fate::answered;
}

void wechat::send(message_fact& message, engine::assignment_id by, std::string body, std::string token,
                  std::function<void(domain::push_reply)> answered)
{
    const auto how = draw_fate();
    if (how == fate::refused) {
        time_.after(record_.between(milliseconds{1}, seconds{3}), [answered] { answered(test::no_connection()); });
        return;
    }
    const auto there = record_.between(milliseconds{1}, milliseconds{record_.chance(0.02) ? 4000 : 80});
    const auto back = record_.between(milliseconds{1}, milliseconds{record_.chance(0.02) ? 4000 : 80});
    if (how != fate::answered) {
        // Cut off at once, or only after the time a request may take.
        const auto noticed = record_.chance(0.3) ? there + back : milliseconds(request_timeout);
        time_.after(noticed, [answered] { answered(test::no_answer()); });
        if (how == fate::request_lost)
            return;
        answered = [](const domain::push_reply&) {};
    }
    time_.after(there, [this, &message, by, body = std::move(body), token = std::move(token), back, answered] {
        auto reply = handle(message, by, body, token);
        time_.after(back, [answered, reply] { answered(reply); });
    });
}

domain::push_reply wechat::handle(message_fact& message, engine::assignment_id by, const std::string& body,
                                  const std::string& token)
{
    constexpr int broken[] = {500, 503, 401, 403};
    if (weather_ == weather::broken)
        return test::http(broken[record_.below(4)]);
    if (weather_ == weather::crowded) {
        auto reply = test::http(429);
        reply.retry_after = seconds{1 + record_.below(20)};
        return reply;
    }
    const auto errcode = judge(message, apps_[message.job->app], body, token);
    if (errcode != 0)
        return test::answer(errcode, "refused");
    deliver(message, by);
    return test::accepted();
}

int wechat::judge(message_fact& message, app_state& app, const std::string& body, const std::string& token)
{
    if (weather_ == weather::busy)
        return -1;
    if (token != app.token || app.token_is_dead)
        return 40001;
    if (time_.now() >= app.expires)
        return 42001;
    if (app.day_full_until && time_.wall_now() < *app.day_full_until)
        return 45009;
    if (app.minute_full_until && time_.wall_now() < *app.minute_full_until)
        return 45011;
    if (!well_behaved_ && record_.chance(0.005))
        return record_.chance(0.5) ? 43117 : -1;
    if (const auto verdict = verdict_on(message); verdict != 0)
        return verdict;
    const auto id = client_msg_id_in(body);
    record_.require(!message.job->kind->takes_client_msg_id || !id.empty(), "a body without its client_msg_id");
    if (id.empty())
        return 0;
    const auto [seen, is_new] = app.client_msg_ids.try_emplace(id, time_.now());
    if (!is_new && time_.now() - seen->second < client_msg_id_memory)
        return 45065;
    seen->second = time_.now();
    return 0;
}

void wechat::deliver(message_fact& message, engine::assignment_id by)
{
    const auto& rules = how_.engine.delivery;
    record_.note(message.index, [&] {
        return "o" + std::to_string(message.job->number) + "-" + std::to_string(message.index) + " gets its message";
    });
    if (message.deliveries > 0) {
        record_.require(!rules.at_most_once, "at_most_once delivered twice");
        if (const auto& account = message.during[by]; account.deliveries > 0) {
            record_.require(account.unknown, "a message was sent again without a reason");
            record_.require(!rules.report_unknown, "an unknown outcome was repeated where it had to be reported");
        }
    }
    ++message.deliveries;
    ++message.during[by].deliveries;
}

// -------------------------------------------------------------------------------------------------------------- tokens

void wechat::fetch(std::uint32_t app, domain::token_call how, std::function<void(engine::token_reply)> answered)
{
    const auto fate = draw_fate();
    if (fate != fate::answered) {
        time_.after(record_.between(milliseconds{1}, seconds{10}),
                    [answered] { answered(test::no_token(std::nullopt, "timed out")); });
        return;
    }
    time_.after(record_.between(milliseconds{1}, milliseconds{200}),
                [this, app, how, answered] { answered(give_token(app, how)); });
}

engine::token_reply wechat::give_token(std::uint32_t app, domain::token_call how)
{
    auto& state = apps_[app];
    const auto now = time_.now();
    if (now < state.refused_until)
        return test::no_token(state.refused_with, "refused");
    if (weather_ == weather::busy)
        return test::no_token(-1, "system busy");
    if (how == domain::token_call::stable_forced || state.token.empty() || state.expires - now < stable_token_tail) {
        state.token = "token-" + std::to_string(app) + "-" + std::to_string(++state.issued);
        state.expires = now + seconds{7200};
        state.token_is_dead = false;
    }
    const auto left = std::chrono::duration_cast<seconds>(state.expires - now);
    return test::token(state.token, left);
}

} // namespace wxcourier::simulation
