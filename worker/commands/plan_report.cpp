// SPDX-License-Identifier: Apache-2.0
#include "commands/plan_report.hpp"

#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"
#include "domain/kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace wxcourier::commands {
namespace {

/// `1 h 23 min`, `40 s`: two units at most.
std::string in_words(milliseconds time)
{
    struct unit {
        std::int64_t ms;
        std::string_view name;
    };
    static constexpr std::array<unit, 5> units{
        {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1000, "s"}, {1, "ms"}}};
    auto left = time.count();
    std::string text;
    int said = 0;
    for (const auto& [ms, name] : units) {
        const auto count = left / ms;
        if (count == 0 && (said == 0 || left == 0))
            continue;
        if (count != 0 && !(name == "ms" && said > 0)) {
            text += (said == 0 ? "" : " ") + std::to_string(count) + ' ' + std::string(name);
            left -= count * ms;
        }
        if (++said == 2)
            break;
    }
    return text.empty() ? "0 s" : text;
}

std::string decimal(double value)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

std::string kind_of(std::uint32_t call)
{
    return std::string(domain::all_kinds()[call].name);
}

std::string table(const delivery_plan& plan)
{
    using row = std::array<std::string, 6>;
    std::vector<row> rows{{"app", "messages", "a second", "takes", "done at", "expire"}};
    for (const auto& each : plan.apps) {
        const auto& seen = each.forecast;
        rows.push_back({each.app, std::to_string(seen.messages), decimal(each.rate_per_second),
                        in_words(seen.done_at - plan.start), format_rfc3339(seen.done_at),
                        std::to_string(seen.expired)});
    }
    std::array<std::size_t, 6> widths{};
    for (const auto& each : rows)
        for (std::size_t i = 0; i < each.size(); ++i)
            widths.at(i) = std::max(widths.at(i), each.at(i).size());
    std::string text;
    for (const auto& each : rows) {
        std::string line;
        for (std::size_t i = 0; i < each.size(); ++i)
            line += each.at(i) + std::string(widths.at(i) - each.at(i).size() + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string text_of(const app_plan& app, const domain::quota_stop& stop)
{
    return app.app + ", " + kind_of(stop.call) + ": " +
           (stop.reserve_left ? "all of the quota but what is kept for high priority" : "the day's quota") +
           " is used up at " + format_rfc3339(stop.used_up_at) + "; " + std::to_string(stop.waiting) + " wait until " +
           format_rfc3339(stop.goes_on_at) + " (00:00 UTC+8)\n";
}

void append_text(std::string& json, std::string_view name, std::string_view value)
{
    json += '"' + std::string(name) + "\":";
    codec::append_clean_json_string(json, value);
}

std::string json_of(const app_plan& app, wall_time start)
{
    const auto& seen = app.forecast;
    std::string json = "{";
    append_text(json, "app", app.app);
    json += ",\"jobs\":" + std::to_string(app.jobs) + ",\"messages\":" + std::to_string(seen.messages) +
            ",\"sent\":" + std::to_string(seen.sent) + ",\"expired\":" + std::to_string(seen.expired) +
            ",\"rate_per_second\":" + decimal(app.rate_per_second) +
            ",\"takes_ms\":" + std::to_string((seen.done_at - start).count()) + ',';
    append_text(json, "done_at", format_rfc3339(seen.done_at));
    json += ",\"quota_stops\":[";
    for (const auto& each : seen.stops) {
        json += json.back() == '[' ? "{" : ",{";
        append_text(json, "kind", kind_of(each.call));
        json += ',';
        append_text(json, "used_up_at", format_rfc3339(each.used_up_at));
        json += ',';
        append_text(json, "goes_on_at", format_rfc3339(each.goes_on_at));
        json += ",\"waiting\":" + std::to_string(each.waiting) +
                ",\"reserve_left\":" + (each.reserve_left ? "true" : "false") + '}';
    }
    return json + "],\"more_quota_stops\":" + std::to_string(seen.more_stops) + '}';
}

} // namespace

std::string to_text(const delivery_plan& plan)
{
    std::uint64_t messages = 0;
    for (const auto& each : plan.apps)
        messages += each.forecast.messages;
    std::string text = std::to_string(messages) + " messages of " + std::to_string(plan.jobs) + " jobs, from " +
                       format_rfc3339(plan.start) + ", " + std::to_string(plan.replicas) +
                       (plan.replicas == 1 ? " replica, " : " replicas, ") + in_words(plan.latency) + " an answer\n";
    if (!plan.apps.empty())
        text += '\n' + table(plan);
    std::string notes;
    for (const auto& app : plan.apps) {
        for (const auto& stop : app.forecast.stops)
            notes += text_of(app, stop);
        if (app.forecast.more_stops > 0)
            notes += app.app + ": and " + std::to_string(app.forecast.more_stops) + " more times\n";
    }
    if (plan.per_recipient_over)
        notes += "some recipients have more messages than per_recipient lets through at once; the rest waits\n";
    if (plan.rejected > 0)
        notes += std::to_string(plan.rejected) + " lines would be rejected\n";
    return notes.empty() ? text : text + '\n' + notes;
}

std::string to_json(const delivery_plan& plan)
{
    std::string json = "{\"version\":1,";
    append_text(json, "start", format_rfc3339(plan.start));
    json += ",\"replicas\":" + std::to_string(plan.replicas) +
            ",\"latency_ms\":" + std::to_string(plan.latency.count()) + ",\"jobs\":" + std::to_string(plan.jobs) +
            ",\"rejected\":" + std::to_string(plan.rejected) + ",\"apps\":[";
    for (const auto& each : plan.apps)
        json += (json.back() == '[' ? "" : ",") + json_of(each, plan.start);
    json += "],\"lines\":[";
    for (const auto& each : plan.lines) {
        json += json.back() == '[' ? "{" : ",{";
        json += "\"line\":" + std::to_string(each.number) + ',';
        append_text(json, "state", each.messages == 0 ? "rejected" : "expired");
        json += ',';
        append_text(json, "reason", each.reason);
        json += ',';
        append_text(json, "error", each.error);
        if (each.messages > 0)
            json += ",\"messages\":" + std::to_string(each.messages);
        json += '}';
    }
    return json + "]}\n";
}

} // namespace wxcourier::commands
