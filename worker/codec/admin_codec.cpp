// SPDX-License-Identifier: Apache-2.0
#include "codec/admin_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/operator_record_codec.hpp"
#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"

#include <cmath>
#include <utility>

namespace wxcourier::codec {
namespace {

constexpr std::size_t longest_body = 4096;

// As in config/apps_section.
constexpr double least_rate = 0.001;
constexpr double most_rate = 100'000;
constexpr double most_burst = 1'000'000;
constexpr std::int64_t most_concurrency = 10'000;

/// Writes members one after another, each with a comma in front; `close` makes an object of them.
class members {
public:
    void text(std::string_view name, std::string_view value) { append_clean_json_string(begin(name), value); }
    void number(std::string_view name, std::int64_t value) { begin(name) += std::to_string(value); }
    void real(std::string_view name, double value) { append_real(begin(name), value); }
    void flag(std::string_view name, bool value) { begin(name) += value ? "true" : "false"; }
    void time(std::string_view name, wall_time value) { text(name, format_rfc3339(value)); }
    void raw(std::string_view name, std::string_view json) { begin(name) += json; }
    [[nodiscard]] std::string object() const { return '{' + (out_.empty() ? out_ : out_.substr(1)) + '}'; }

private:
    std::string& begin(std::string_view name)
    {
        out_ += ",\"";
        out_ += name;
        out_ += "\":";
        return out_;
    }
    std::string out_;
};

std::string describe_mark(members object, const domain::operator_mark& mark)
{
    object.text("by", mark.by);
    object.text("worker", mark.worker);
    object.time("since", mark.at);
    return object.object();
}

std::string encode(const shown_pause& pause)
{
    members object;
    object.text("what", describe(pause.target));
    if (!pause.target.kind.empty())
        object.text("kind", pause.target.kind);
    if (!pause.target.template_id.empty())
        object.text("template", pause.target.template_id);
    object.text("scope", pause.scope);
    return describe_mark(object, pause.mark);
}

std::string encode(const shown_app& app)
{
    members rate;
    rate.real("now", app.rate_now);
    rate.real("per_second", app.said.per_second.value_or(app.rate_configured));
    rate.real("burst", app.said.burst.value_or(app.burst_configured));
    members configured;
    configured.real("per_second", app.rate_configured);
    configured.real("burst", app.burst_configured);
    configured.number("concurrency", static_cast<std::int64_t>(app.concurrency_configured));
    members token;
    token.text("state", app.token_state);
    if (!app.token_reason.empty())
        token.text("reason", app.token_reason);
    token.number("expires_in_s", app.token_expires_in.count());
    std::string pauses = "[";
    for (const auto& each : app.pauses)
        pauses += (pauses.size() > 1 ? "," : "") + encode(each);
    pauses += ']';
    members object;
    object.text("name", app.name);
    object.text("state", app.state);
    object.raw("rate", rate.object());
    object.number("concurrency", static_cast<std::int64_t>(app.said.concurrency.value_or(app.concurrency_configured)));
    object.raw("configured", configured.object());
    object.flag("rate_changed", !app.said.empty());
    object.number("queued", static_cast<std::int64_t>(app.queued));
    object.number("in_flight", static_cast<std::int64_t>(app.in_flight));
    object.raw("token", token.object());
    object.raw("pauses", pauses);
    return object.object();
}

std::optional<std::string> read_real(json_value value, double least, double most,
                                     std::optional<std::optional<double>>& into)
{
    if (value.is(json_type::null)) {
        into.emplace();
        return std::nullopt;
    }
    const auto number = real_number(value);
    if (!number || !std::isfinite(*number) || *number < least || *number > most) {
        std::string text = "expected a number from ";
        append_real(text, least);
        text += " to ";
        append_real(text, most);
        return text + ", or null";
    }
    into.emplace(*number);
    return std::nullopt;
}

std::optional<std::string> read_count(json_value value, std::optional<std::optional<std::size_t>>& into)
{
    if (value.is(json_type::null)) {
        into.emplace();
        return std::nullopt;
    }
    const auto number = value.integer();
    if (!number || *number < 1 || *number > most_concurrency)
        return "expected an integer from 1 to " + std::to_string(most_concurrency) + ", or null";
    into.emplace(static_cast<std::size_t>(*number));
    return std::nullopt;
}

} // namespace

std::variant<domain::rate_patch, std::string> decode_rate_patch(std::string_view body)
{
    json_document document;
    if (const auto wrong = document.parse(body, longest_body))
        return "the body is not the JSON that is expected: " + *wrong;
    if (!document.root().is(json_type::object) || document.root().size() == 0)
        return std::string("the body must be an object with per_second, burst or concurrency");
    domain::rate_patch patch;
    for (const auto each : document.root().children()) {
        std::optional<std::string> wrong;
        if (each.key() == "per_second")
            wrong = read_real(each, least_rate, most_rate, patch.per_second);
        else if (each.key() == "burst")
            wrong = read_real(each, 1, most_burst, patch.burst);
        else if (each.key() == "concurrency")
            wrong = read_count(each, patch.concurrency);
        else
            wrong = "is not known, expected per_second, burst or concurrency";
        if (wrong)
            return each.pointer() + ": " + *wrong;
    }
    return patch;
}

std::string encode_admin_apps(const std::string& worker, bool agreed, const std::vector<shown_app>& apps)
{
    std::string list = "[";
    for (const auto& each : apps)
        list += (list.size() > 1 ? "," : "") + encode(each);
    list += ']';
    members object;
    object.number("version", 1);
    object.text("worker", worker);
    object.flag("agreed", agreed);
    object.raw("apps", list);
    return object.object() + '\n';
}

std::string encode_admin_receipt(const admin_receipt& receipt)
{
    members object;
    object.text("done", receipt.done);
    object.text("about", receipt.about);
    object.text("scope", receipt.scope);
    object.flag("changed", receipt.changed);
    if (receipt.in_force)
        object.time("in_force_at", *receipt.in_force);
    if (receipt.by_then)
        object.time("in_force_everywhere_by", *receipt.by_then);
    if (receipt.offset)
        object.number("offset", *receipt.offset);
    return object.object() + '\n';
}

std::string encode_admin_error(std::string_view text)
{
    members object;
    object.text("error", text);
    return object.object() + '\n';
}

} // namespace wxcourier::codec
