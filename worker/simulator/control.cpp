// SPDX-License-Identifier: Apache-2.0
#include "simulator/control.hpp"

#include "codec/utf8.hpp"
#include "simulator/json_reading.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr std::string_view prefix = "/_simulator/";
constexpr std::size_t usual_limit = 1'000;
constexpr std::size_t most_at_once = 100'000;

/// The caller's mistake; its text goes back to them.
class bad_request : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse_member(std::string_view name, std::string_view expected)
{
    throw bad_request("`" + std::string(name) + "`: expected " + std::string(expected));
}

std::string read_text(std::string_view name, json_value value)
{
    if (!value.is(json_type::string)) {
        refuse_member(name, "a string");
    }
    return std::string(value.text());
}

bool read_bool(std::string_view name, json_value value)
{
    if (!value.is(json_type::boolean)) {
        refuse_member(name, "true or false");
    }
    return value.boolean();
}

std::uint64_t read_count(std::string_view name, json_value value)
{
    const auto number = value.integer();
    if (!number || *number < 0) {
        refuse_member(name, "a whole number that is not negative");
    }
    return static_cast<std::uint64_t>(*number);
}

milliseconds read_duration(std::string_view name, json_value value)
{
    const auto duration = parse_duration(shown_text(value));
    if (!duration) {
        refuse_member(name, "a duration such as \"250ms\", or milliseconds");
    }
    return *duration;
}

double read_probability(std::string_view name, json_value value)
{
    const std::string_view text = value.is(json_type::number) ? value.text() : std::string_view{};
    double number = -1.0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (!(number >= 0.0 && number <= 1.0)) {
        refuse_member(name, "a number from 0 to 1");
    }
    return number;
}

int read_errcode(std::string_view name, json_value value)
{
    const auto number = value.integer();
    if (!number || *number == 0 || static_cast<int>(*number) != *number) {
        refuse_member(name, "an errcode that is not 0");
    }
    return static_cast<int>(*number);
}

/// Calls `use(name, value)` for each member; it says whether it knew the name.
template <class Use>
void read_object(std::string_view what, json_value object, Use use)
{
    if (!object.is(json_type::object)) {
        throw bad_request(std::string(what) + ": expected an object");
    }
    for (const json_value value : object.children()) {
        if (!use(value.key(), value)) {
            throw bad_request("`" + std::string(value.key()) + "` is no member of " + std::string(what));
        }
    }
}

fault_match read_match(json_value object)
{
    fault_match match;
    read_object("match", object, [&](std::string_view name, json_value value) {
        if (name == "touser") {
            match.touser = read_text(name, value);
        } else if (name == "path") {
            match.path = read_text(name, value);
        } else if (name == "appid") {
            match.appid = read_text(name, value);
        } else if (name == "probability") {
            match.probability = read_probability(name, value);
        } else {
            return false;
        }
        return true;
    });
    return match;
}

/// Members that say where in the response it breaks. Stall and truncate also take `true`: at once, and half-way.
bool read_break(std::string_view name, json_value value, fault& what)
{
    const bool plain = value.is(json_type::boolean) && value.boolean();
    if (name == "reset") {
        what.reset_after = read_count(name, value);
    } else if (name == "stall") {
        what.stall_after = plain ? 0 : read_count(name, value);
    } else if (name == "truncate" && plain) {
        what.truncate_half = true;
    } else if (name == "truncate") {
        what.truncate_to = read_count(name, value);
    } else {
        return false;
    }
    return true;
}

fault read_fault(json_value object)
{
    fault what;
    read_object("fault", object, [&](std::string_view name, json_value value) {
        if (name == "errcode") {
            what.errcode = read_errcode(name, value);
        } else if (name == "errmsg") {
            what.errmsg = read_text(name, value);
        } else if (name == "http") {
            what.http_status = static_cast<unsigned>(std::clamp<std::uint64_t>(read_count(name, value), 200, 599));
        } else if (name == "html") {
            what.html = read_bool(name, value);
        } else if (name == "empty") {
            what.empty = read_bool(name, value);
        } else if (name == "drip") {
            what.drip = read_duration(name, value);
        } else if (name == "latency") {
            what.latency = read_duration(name, value);
        } else if (name == "expire_token") {
            what.expire_token = read_bool(name, value);
        } else if (name == "accepted") {
            what.accepted = read_bool(name, value);
        } else {
            return read_break(name, value, what);
        }
        return true;
    });
    return what;
}

std::string add_fault(simulation& sim, json_value body)
{
    fault_rule rule;
    bool has_fault = false;
    read_object("the rule", body, [&](std::string_view name, json_value value) {
        if (name == "match") {
            rule.match = read_match(value);
        } else if (name == "times") {
            rule.times = std::max<std::uint64_t>(1, read_count(name, value));
        } else if (name == "fault") {
            rule.what = read_fault(value);
            has_fault = true;
        } else {
            return false;
        }
        return true;
    });
    if (!has_fault) {
        throw bad_request("`fault` is missing");
    }
    sim.faults().add(std::move(rule));
    return R"({"ok":true})";
}

std::string expire_tokens(simulation& sim, json_value body, wall_time now)
{
    std::string appid;
    int errcode = 42001;
    bool until_forced = false;
    read_object("the request", body, [&](std::string_view name, json_value value) {
        if (name == "appid") {
            appid = read_text(name, value);
        } else if (name == "errcode") {
            errcode = read_errcode(name, value);
        } else if (name == "until_forced") {
            until_forced = read_bool(name, value);
        } else {
            return false;
        }
        return true;
    });
    const std::size_t ended = sim.tokens().expire(appid, errcode, until_forced, now);
    return R"({"ok":true,"expired":)" + std::to_string(ended) + '}';
}

std::string shown_settings(const settings& rules)
{
    return R"({"latency":)" + std::to_string(rules.latency.count()) + R"(,"jitter":)" +
           std::to_string(rules.jitter.count()) + R"(,"minute_quota":)" + std::to_string(rules.minute_quota) +
           R"(,"day_quota":)" + std::to_string(rules.day_quota) + R"(,"token_lifetime":)" +
           std::to_string(milliseconds(rules.token_lifetime).count()) + R"(,"grace":)" +
           std::to_string(milliseconds(rules.grace).count()) + R"(,"retired":)" +
           (rules.refuse_retired ? R"("refuse"})" : R"("accept"})");
}

std::string change_settings(simulation& sim, json_value body)
{
    settings rules = sim.rules();
    read_object("settings", body, [&](std::string_view name, json_value value) {
        if (name == "latency") {
            rules.latency = read_duration(name, value);
        } else if (name == "jitter") {
            rules.jitter = read_duration(name, value);
        } else if (name == "minute_quota") {
            rules.minute_quota = read_count(name, value);
        } else if (name == "day_quota") {
            rules.day_quota = read_count(name, value);
        } else if (name == "token_lifetime") {
            rules.token_lifetime = std::chrono::ceil<seconds>(read_duration(name, value));
        } else if (name == "grace") {
            rules.grace = std::chrono::floor<seconds>(read_duration(name, value));
        } else if (name == "retired" && read_text(name, value) == "refuse") {
            rules.refuse_retired = true;
        } else if (name == "retired" && read_text(name, value) == "accept") {
            rules.refuse_retired = false;
        } else {
            return false;
        }
        return true;
    });
    sim.rules() = rules;
    return shown_settings(rules);
}

void append_member(std::string& line, std::string_view name, std::string_view text)
{
    line.append(",\"").append(name).append("\":");
    codec::append_clean_json_string(line, text);
}

void append_member(std::string& line, std::string_view name, std::int64_t number)
{
    line.append(",\"").append(name).append("\":").append(std::to_string(number));
}

void append_flag(std::string& line, std::string_view name, bool flag)
{
    line.append(",\"").append(name).append(flag ? "\":true" : "\":false");
}

void append_line(std::string& text, const received_request& request)
{
    text += R"({"seq":)" + std::to_string(request.sequence);
    append_member(text, "time", request.at.time_since_epoch().count());
    append_member(text, "method", request.method);
    append_member(text, "path", request.path);
    append_member(text, "appid", request.appid);
    append_member(text, "touser", request.touser);
    append_flag(text, "token_valid", request.token_valid);
    append_member(text, "http", static_cast<std::int64_t>(request.http_status));
    text += R"(,"errcode":)" + (request.errcode ? std::to_string(*request.errcode) : "null");
    append_member(text, "msgid", request.msgid == 0 ? std::string{} : std::to_string(request.msgid));
    append_flag(text, "accepted", request.accepted);
    append_flag(text, "duplicate", request.duplicate);
    append_flag(text, "answered", request.answered);
    append_member(text, "connection", static_cast<std::int64_t>(request.connection));
    append_member(text, "body", request.body);
    text += "}\n";
}

std::uint64_t query_number(const http_request& request, std::string_view name, std::uint64_t fallback)
{
    const std::string text = query_value(request.query(), name);
    std::uint64_t number = fallback;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!text.empty() && (error != std::errc{} || rest != text.data() + text.size())) {
        refuse_member(name, "a whole number that is not negative");
    }
    return number;
}

reply read_out(simulation& sim, const http_request& request)
{
    const std::uint64_t since = query_number(request, "since", 0);
    const std::uint64_t limit = std::min<std::uint64_t>(query_number(request, "limit", usual_limit), most_at_once);
    reply sent;
    sent.content_type = "application/x-ndjson";
    sim.received().visit(since, limit, [&](const received_request& entry) { append_line(sent.body, entry); });
    return sent;
}

reply json_reply(std::string body, unsigned status = 200)
{
    reply sent;
    sent.status = status;
    sent.content_type = "application/json";
    sent.body = std::move(body);
    return sent;
}

reply error_reply(unsigned status, std::string_view text)
{
    std::string body = R"({"error":)";
    codec::append_clean_json_string(body, text);
    return json_reply(body + '}', status);
}

reply answer_get(simulation& sim, std::string_view name, const http_request& request)
{
    if (name == "received") {
        return read_out(sim, request);
    }
    if (name == "stats") {
        return json_reply(sim.counters().to_json());
    }
    if (name == "settings") {
        return json_reply(shown_settings(sim.rules()));
    }
    return error_reply(404, "there is no such page");
}

reply answer_post(simulation& sim, std::string_view name, const http_request& request, wall_time now)
{
    if (name == "reset") {
        sim.reset();
        return json_reply(R"({"ok":true})");
    }
    codec::json_document document;
    const json_value body = parse_json(document, request.body.empty() ? "{}" : std::string_view(request.body));
    if (!body) {
        throw bad_request("the body is no JSON");
    }
    if (name == "faults") {
        return json_reply(add_fault(sim, body));
    }
    if (name == "tokens/expire") {
        return json_reply(expire_tokens(sim, body, now));
    }
    if (name == "settings") {
        return json_reply(change_settings(sim, body));
    }
    return error_reply(404, "there is no such action");
}

} // namespace

reply answer_control(simulation& what, const http_request& request, wall_time now)
{
    const std::string_view name = request.path().substr(prefix.size());
    try {
        if (request.malformed) {
            return error_reply(400, "malformed request");
        }
        if (request.method == "GET") {
            return answer_get(what, name, request);
        }
        if (request.method == "POST") {
            return answer_post(what, name, request, now);
        }
        if (request.method == "DELETE" && name == "faults") {
            what.faults().clear();
            return json_reply(R"({"ok":true})");
        }
        return error_reply(405, "use GET or POST");
    } catch (const bad_request& error) {
        return error_reply(400, error.what());
    }
}

} // namespace wxcourier::simulator
