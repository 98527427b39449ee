// SPDX-License-Identifier: Apache-2.0
#include "common/log.hpp"

#include "common/log_throttle.hpp"
#include "common/rfc3339.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <span>
#include <vector>

namespace wxcourier::log {
namespace {

constexpr std::size_t longest_value = 256;
/// Far more than happens while nothing is wrong, far less than a record a line.
constexpr std::uint32_t most_alike = 50;
constexpr seconds throttle_window{10};
/// Between component and message in the kinds of the throttle, which begin with the level.
constexpr char kind_separator = '\n';

std::atomic<level> lowest_level{level::info};
std::atomic<format> line_format{format::text};

spdlog::level::level_enum to_spdlog(level at)
{
    switch (at) {
    case level::trace:
        return spdlog::level::trace;
    case level::debug:
        return spdlog::level::debug;
    case level::info:
        return spdlog::level::info;
    case level::warn:
        return spdlog::level::warn;
    case level::error:
        return spdlog::level::err;
    case level::off:
        break;
    }
    return spdlog::level::off;
}

std::string_view level_name(level at)
{
    static constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warn", "error", "off"};
    return names.at(static_cast<std::size_t>(at));
}

/// The logger is made on first use and lives until the process ends, so that a late line never meets a dead one.
spdlog::logger& logger()
{
    static spdlog::logger& instance = []() -> spdlog::logger& {
        auto made =
            std::make_shared<spdlog::logger>("wxcourier", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_level(spdlog::level::trace);
        made->set_pattern("%v");
        static const std::shared_ptr<spdlog::logger> keep = std::move(made);
        return *keep;
    }();
    return instance;
}

/// Length of the UTF-8 character at the front of `text`, which is not empty. 0: no character begins there.
std::size_t character_length(std::string_view text) noexcept
{
    const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto follows = [at](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return at(i) >= low && at(i) <= high;
    };
    const auto lead = at(0);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return follows(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) // no overlong forms, no surrogates
        return follows(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
    if (lead >= 0xF0 && lead <= 0xF4)
        return follows(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

void append_code(std::string& out, unsigned code)
{
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", code);
    out += text.data();
}

/// Line and paragraph separators, and what changes the direction of text: a line could look like another one.
bool reorders_text(std::string_view character) noexcept
{
    if (character.size() != 3 || character[0] != '\xE2')
        return false;
    const auto code =
        (static_cast<unsigned>(character[1]) & 0x3FU) << 6U | (static_cast<unsigned>(character[2]) & 0x3FU);
    return code == 0x0E || code == 0x0F || (code >= 0x28 && code <= 0x2E) || (code >= 0x66 && code <= 0x69);
}

/// Appends one character as it may stand in a line and on a terminal: no control characters, also not those of 8 bits.
void append_character(std::string& out, std::string_view character)
{
    const auto byte = static_cast<unsigned char>(character.front());
    if (reorders_text(character)) {
        append_code(out, 0x2000U | ((static_cast<unsigned char>(character[1]) & 0x3FU) << 6U) |
                             (static_cast<unsigned char>(character[2]) & 0x3FU));
    } else if (byte == '"' || byte == '\\') {
        out += '\\';
        out += character;
    } else if (byte == '\n') {
        out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
        append_code(out, byte);
    } else if (character.size() == 2 && byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0) {
        append_code(out, static_cast<unsigned char>(character[1]));
    } else {
        out += character;
    }
}

/// Escapes what could break a line or a terminal, replaces what is no UTF-8, and cuts at a character's boundary.
void append_escaped(std::string& out, std::string_view text)
{
    std::size_t taken = 0;
    while (!text.empty()) {
        const auto length = character_length(text);
        taken += length == 0 ? 1 : length;
        if (taken > longest_value) {
            out += "…";
            return;
        }
        if (length == 0)
            out += "\uFFFD";
        else
            append_character(out, text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

bool needs_quotes(std::string_view value)
{
    return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte <= 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '=';
           });
}

using field_list = std::span<const field>;

std::string text_line(level at, std::string_view component, std::string_view message, field_list fields, wall_time now)
{
    std::string line = format_rfc3339(now);
    line += ' ';
    line += level_name(at);
    line.append(6 - level_name(at).size(), ' ');
    line += component;
    line += ": ";
    append_escaped(line, message);
    for (const auto& each : fields) {
        line += ' ';
        line += each.name;
        line += '=';
        const bool quoted = needs_quotes(each.value);
        if (quoted)
            line += '"';
        append_escaped(line, each.value);
        if (quoted)
            line += '"';
    }
    return line;
}

std::string json_line(level at, std::string_view component, std::string_view message, field_list fields, wall_time now)
{
    std::string line = R"({"time":")" + format_rfc3339(now) + R"(","level":")";
    line += level_name(at);
    line += R"(","component":")";
    line += component;
    line += R"(","message":")";
    append_escaped(line, message);
    line += '"';
    for (const auto& each : fields) {
        line += ",\"";
        line += each.name;
        line += "\":\"";
        append_escaped(line, each.value);
        line += '"';
    }
    line += '}';
    return line;
}

void write_line(level at, std::string_view component, std::string_view message, field_list fields)
{
    const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    const auto line = line_format.load() == format::json ? json_line(at, component, message, fields, now)
                                                         : text_line(at, component, message, fields, now);
    logger().log(to_spdlog(at), "{}", line);
}

/// Whether lines of this level are limited: errors need somebody, and what lies below `info` was asked for.
bool is_limited(level at) noexcept
{
    return at == level::info || at == level::warn;
}

/// The process's throttle, and the lock that a line from another thread needs.
struct line_limit {
    std::mutex mutex;
    log_throttle throttle{most_alike, throttle_window};
};

line_limit& limit()
{
    static auto& instance = *new line_limit; // lives as long as the logger: until the process ends
    return instance;
}

/// Asks the throttle; says first what it has kept back of other lines.
log_throttle::decision admit(level at, std::string_view component, std::string_view message)
{
    const auto now = steady_clock::now();
    std::string kind(1, at == level::info ? 'i' : 'w');
    kind += component;
    kind += kind_separator;
    kind += message;
    auto& shared = limit();
    const std::lock_guard lock(shared.mutex);
    const auto decision = shared.throttle.admit(kind, now);
    for (const auto& each : shared.throttle.overdue(now)) {
        const auto split = each.kind.find(kind_separator);
        const std::array<field, 1> kept_back{field("kept_back", each.kept_back)};
        write_line(each.kind.front() == 'i' ? level::info : level::warn,
                   std::string_view(each.kind).substr(1, split - 1), std::string_view(each.kind).substr(split + 1),
                   kept_back);
    }
    return decision;
}

} // namespace

field::field(std::string_view field_name, double number) : name(field_name)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", number);
    value = text.data();
}

void configure(level lowest, format shape)
{
    lowest_level = lowest;
    line_format = shape;
}

std::optional<level> parse_level(std::string_view name)
{
    for (const auto each : {level::trace, level::debug, level::info, level::warn, level::error, level::off})
        if (level_name(each) == name)
            return each;
    return std::nullopt;
}

bool enabled(level at) noexcept
{
    return at >= lowest_level.load(std::memory_order_relaxed);
}

void write(level at, std::string_view component, std::string_view message, std::initializer_list<field> fields) noexcept
{
    if (!enabled(at))
        return;
    try {
        const auto admitted = is_limited(at) ? admit(at, component, message) : log_throttle::decision{true, 0};
        if (!admitted.pass)
            return;
        if (admitted.kept_back == 0) {
            write_line(at, component, message, fields);
            return;
        }
        std::vector<field> more(fields);
        more.emplace_back("kept_back", admitted.kept_back);
        write_line(at, component, message, more);
    } catch (...) { // NOLINT(bugprone-empty-catch): out of memory while logging must not end the worker
    }
}

void span(std::string_view name, std::string_view resource_spans, std::initializer_list<field> fields) noexcept
{
    constexpr std::string_view component = "trace";
    if (!enabled(level::info))
        return;
    try {
        const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        std::string line;
        if (line_format.load() == format::json) {
            line = R"({"resourceSpans":)";
            line += resource_spans;
            line += ',';
            line += std::string_view(json_line(level::info, component, name, fields, now)).substr(1);
        } else {
            line = text_line(level::info, component, name, fields, now);
        }
        logger().log(to_spdlog(level::info), "{}", line);
    } catch (...) { // NOLINT(bugprone-empty-catch): as in write
    }
}

} // namespace wxcourier::log
