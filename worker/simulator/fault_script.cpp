// SPDX-License-Identifier: Apache-2.0
#include "simulator/fault_script.hpp"

#include "simulator/settings.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr milliseconds default_drip{10};
constexpr std::size_t remembered_openids = 1'000'000;

/// Takes `word` and the `-` behind it off the front.
bool take(std::string_view& rest, std::string_view word) noexcept
{
    if (!rest.starts_with(word) || (rest.size() > word.size() && rest[word.size()] != '-')) {
        return false;
    }
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    return true;
}

std::optional<std::int64_t> take_number(std::string_view& rest) noexcept
{
    std::int64_t number = 0;
    const char* const end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(rest.data(), end, number);
    if (error != std::errc{} || (stop != end && *stop != '-')) {
        return std::nullopt;
    }
    rest.remove_prefix(std::min(rest.size(), static_cast<std::size_t>(stop - rest.data()) + 1));
    return number;
}

std::optional<milliseconds> take_duration(std::string_view& rest) noexcept
{
    const std::string_view word = rest.substr(0, rest.find('-'));
    const auto duration = parse_duration(word);
    if (duration) {
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    return duration;
}

/// Whether the part of a script without its `once-` could be read.
bool read_numbered(std::string_view rest, fault& what)
{
    if (take(rest, "errcode")) {
        const auto number = take_number(rest);
        what.errcode = static_cast<int>(number.value_or(0));
        return number && *number == *what.errcode && *number != 0;
    }
    if (take(rest, "http")) {
        const auto number = take_number(rest);
        what.http_status = static_cast<unsigned>(number.value_or(0));
        what.html = true;
        return number && *number >= 200 && *number <= 599;
    }
    if (take(rest, "reset")) {
        const auto number = take_number(rest);
        what.reset_after = static_cast<std::size_t>(number.value_or(0));
        return number && *number >= 0;
    }
    if (take(rest, "latency")) {
        const auto duration = take_duration(rest);
        what.latency = duration.value_or(milliseconds{0});
        return duration.has_value();
    }
    return false;
}

bool read_fault(std::string_view rest, fault& what, unsigned& times)
{
    if (take(rest, "html")) {
        what.html = true;
    } else if (take(rest, "empty")) {
        what.empty = true;
    } else if (take(rest, "stall")) {
        what.stall_after = 0;
    } else if (take(rest, "truncate")) {
        what.truncate_half = true;
    } else if (take(rest, "drip")) {
        what.drip = take_duration(rest).value_or(default_drip);
    } else if (take(rest, "expire")) {
        what.expire_token = true;
        times = std::max(times, 1U);
    } else {
        return read_numbered(rest, what);
    }
    return true;
}

bool matches(const fault_match& match, std::string_view touser, std::string_view path, std::string_view appid)
{
    const bool open = match.touser.ends_with('*');
    const std::string_view name = std::string_view(match.touser).substr(0, match.touser.size() - (open ? 1 : 0));
    const bool recipient = match.touser.empty() || (open ? touser.starts_with(name) : touser == name);
    return recipient && (match.path.empty() || match.path == path) && (match.appid.empty() || match.appid == appid);
}

} // namespace

bool fault::is_processed() const noexcept
{
    return accepted.value_or(!http_status && !html && !empty);
}

std::optional<openid_script> parse_openid_script(std::string_view openid)
{
    std::string_view rest = openid;
    if (!rest.starts_with("sim-")) {
        return std::nullopt;
    }
    rest.remove_prefix(4);
    openid_script script;
    if (take(rest, "once")) {
        script.times = 1;
    } else if (take(rest, "twice")) {
        script.times = 2;
    } else if (take(rest, "thrice")) {
        script.times = 3;
    }
    if (!read_fault(rest, script.what, script.times)) {
        script = {};
        script.what.errcode = 40003;
        script.what.errmsg = "invalid openid (the simulator cannot read the script in it)";
    }
    return script;
}

void fault_script::add(fault_rule rule)
{
    if (rule.times != 0) {
        rules_.push_back({++last_number_, std::move(rule)});
    }
}

void fault_script::clear()
{
    rules_.clear();
    openid_uses_.clear();
}

std::optional<fault_script::choice> fault_script::choose(std::string_view touser, std::string_view path,
                                                         std::string_view appid, dice& random) const
{
    if (auto script = parse_openid_script(touser)) {
        const auto uses = openid_uses_.find(touser);
        if (script->times == 0) {
            return choice{std::move(script->what), 0, {}};
        }
        if (uses == openid_uses_.end() || uses->second < script->times) {
            return choice{std::move(script->what), 0, std::string(touser)};
        }
    }
    for (const auto& [number, rule] : rules_) {
        if (matches(rule.match, touser, path, appid) &&
            (rule.match.probability >= 1.0 || random.chance(rule.match.probability)))
        {
            return choice{rule.what, number, {}};
        }
    }
    return std::nullopt;
}

void fault_script::used(const choice& played)
{
    if (played.rule == 0) {
        if (played.openid.empty()) {
            return;
        }
        if (openid_uses_.size() >= remembered_openids) {
            openid_uses_.clear();
        }
        ++value_of(openid_uses_, played.openid);
        return;
    }
    const auto rule = std::ranges::find(rules_, played.rule, &numbered_rule::number);
    if (rule == rules_.end()) {
        return;
    }
    if (auto& left = rule->rule.times; left && --*left == 0) {
        rules_.erase(rule);
    }
}

} // namespace wxcourier::simulator
