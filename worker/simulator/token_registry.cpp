// SPDX-License-Identifier: Apache-2.0
#include "simulator/token_registry.hpp"

#include "simulator/calendar.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr int not_latest = 40001;
constexpr int expired = 42001;
constexpr int forces_a_day = 20;
constexpr seconds force_spacing{30};
constexpr std::size_t remembered = 4;

} // namespace

issued_token token_registry::replace(series& tokens, std::string_view appid, wall_time now)
{
    // Only the token just replaced gets the grace: "call twice" is how a leaked one is killed.
    wall_time limit = now + settings_.grace;
    for (auto old = tokens.latest.rbegin(); old != tokens.latest.rend(); ++old) {
        record& entry = tokens_.at(*old);
        if (entry.ends > now) {
            entry.replaced = true;
            entry.ends = std::min(entry.ends, limit);
        }
        limit = now;
    }
    if (tokens.latest.size() == remembered) {
        tokens_.erase(tokens.latest.front());
        tokens.latest.pop_front();
    }
    std::string token = dice_.token();
    tokens_.insert_or_assign(token, record{std::string(appid), now + settings_.token_lifetime});
    tokens.latest.push_back(token);
    tokens.keep_dead = false;
    return {std::move(token), settings_.token_lifetime, true};
}

issued_token token_registry::issue_classic(std::string_view appid, wall_time now)
{
    return replace(value_of(series_[static_cast<std::size_t>(token_source::classic)], appid), appid, now);
}

bool token_registry::may_force(series& tokens, wall_time now)
{
    if (tokens.force_day != day_number(now)) {
        tokens.force_day = day_number(now);
        tokens.forces = 0;
    }
    return tokens.forces < forces_a_day;
}

std::optional<issued_token> token_registry::issue_stable(std::string_view appid, bool force, wall_time now)
{
    series& tokens = value_of(series_[static_cast<std::size_t>(token_source::stable)], appid);
    const bool too_soon = tokens.last_force && now - *tokens.last_force < force_spacing;
    if (force && !too_soon) {
        if (!may_force(tokens, now)) {
            return std::nullopt;
        }
        ++tokens.forces;
        tokens.last_force = now;
        return replace(tokens, appid, now);
    }
    if (!tokens.latest.empty()) {
        const record& current = tokens_.at(tokens.latest.back());
        const seconds margin = std::min(settings_.grace, settings_.token_lifetime / 2);
        if (tokens.keep_dead) {
            return issued_token{tokens.latest.back(), settings_.token_lifetime, false};
        }
        if (current.ends - now > margin) {
            return issued_token{tokens.latest.back(), std::chrono::floor<seconds>(current.ends - now), false};
        }
    }
    return replace(tokens, appid, now);
}

token_registry::standing token_registry::find(std::string_view token, wall_time now) const
{
    const auto found = tokens_.find(token);
    if (found == tokens_.end()) {
        return {{}, not_latest};
    }
    const record& entry = found->second;
    if (now < entry.ends) {
        return {entry.appid, 0};
    }
    if (entry.end_errcode != 0) {
        return {entry.appid, entry.end_errcode};
    }
    return {entry.appid, entry.replaced ? not_latest : expired};
}

std::size_t token_registry::expire(std::string_view appid, int errcode, bool until_forced, wall_time now)
{
    std::size_t ended = 0;
    for (auto& [token, entry] : tokens_) {
        if ((appid.empty() || entry.appid == appid) && entry.ends > now) {
            entry.ends = now;
            entry.end_errcode = errcode;
            ++ended;
        }
    }
    for (auto& [owner, tokens] : series_[static_cast<std::size_t>(token_source::stable)]) {
        if (appid.empty() || owner == appid) {
            tokens.keep_dead = until_forced && !tokens.latest.empty();
        }
    }
    return ended;
}

} // namespace wxcourier::simulator
