// SPDX-License-Identifier: Apache-2.0
#include "commands/status_line.hpp"

#include "common/rfc3339.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace wxcourier::commands {
namespace {

using domain::job_state;

std::string_view colour_of(job_state state)
{
    switch (state) {
    case job_state::sent:
    case job_state::delivered:
    case job_state::simulated:
        return "\x1b[32m";
    case job_state::failed:
    case job_state::rejected:
    case job_state::undelivered:
        return "\x1b[31m";
    case job_state::expired:
    case job_state::deferred:
        return "\x1b[33m";
    case job_state::event:
        break;
    }
    return "\x1b[36m";
}

std::string padded(std::string_view text, std::size_t width)
{
    std::string result(text);
    result.resize(std::max(width, result.size()), ' ');
    return result;
}

} // namespace

std::string status_line(const domain::status_record& status, bool colour)
{
    const auto word = padded(to_string(status.state), 9);
    std::string line = format_rfc3339(status.finished_at.value_or(status.enqueued_at)) + ' ';
    line += colour ? std::string(colour_of(status.state)) + word + "\x1b[0m" : word;
    line += ' ' + status.id.value_or("-") + ' ' + status.app.value_or("-") + ' ' + status.kind.value_or("-");
    const auto add = [&line](std::string_view name, const std::string& value) {
        if (!value.empty())
            line += ' ' + std::string(name) + '=' + value;
    };
    add("to", status.touser.value_or(""));
    if (status.operation) {
        add("template", status.operation->template_id);
        add("scope", status.operation->scope);
        add("by", status.operation->by);
    }
    add("reason", status.reason);
    if (status.errcode && *status.errcode != 0)
        add("errcode", std::to_string(*status.errcode));
    if (status.state != job_state::sent)
        add("errmsg", status.errmsg);
    add("msgid", status.msgid);
    if (status.attempts > 1)
        add("attempts", std::to_string(status.attempts));
    if (status.retry_at)
        add("retry_at", format_rfc3339(*status.retry_at));
    if (status.operation && status.operation->limits) {
        const auto& limits = *status.operation->limits;
        const auto shown = [](const auto& value) {
            std::ostringstream text;
            if (value)
                text << *value;
            return value ? text.str() : std::string("configured");
        };
        add("per_second", shown(limits.per_second));
        add("burst", shown(limits.burst));
        add("concurrency", shown(limits.concurrency));
    }
    if (status.finished_at && status.state != job_state::event)
        add("latency",
            std::to_string(std::max<std::int64_t>(0, (*status.finished_at - status.enqueued_at).count())) + "ms");
    // What comes from producers and WeChat must not steer the terminal.
    std::size_t begin = colour ? line.find("\x1b[0m") + 4 : 0;
    std::replace_if(
        line.begin() + static_cast<std::ptrdiff_t>(begin), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    return line;
}

} // namespace wxcourier::commands
