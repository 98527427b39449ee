// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structured log lines on standard error, text for people or JSON for machines. Levels go by who must act: `error`,
/// somebody now; `warn`, somebody soon; `info`, nobody, it tells what the worker did; `debug`, a developer.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::log {

enum class level : std::uint8_t { trace, debug, info, warn, error, off };
enum class format : std::uint8_t { text, json };

/// One `name=value` of a line. Values that come from outside are escaped, and cut at 256 bytes.
struct field {
    field(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
    field(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
    field(std::string_view field_name, const char* text) : name(field_name), value(text) {}
    field(std::string_view field_name, std::int64_t number) : name(field_name), value(std::to_string(number)) {}
    field(std::string_view field_name, std::uint64_t number) : name(field_name), value(std::to_string(number)) {}
    field(std::string_view field_name, int number) : name(field_name), value(std::to_string(number)) {}
    field(std::string_view field_name, double number);

    std::string_view name;
    std::string value;
};

/// Sets level and format for the process. Call before the first line, or from the loop's thread on a reload.
void configure(level lowest, format shape);

/// The level a name stands for (`info`, …). Empty: no such level.
std::optional<level> parse_level(std::string_view name);

/// Whether a line of this level would be written: ask before costly fields are made.
bool enabled(level at) noexcept;

/// Writes one line. Thread-safe (librdkafka's log lines arrive through the loop, TLS's on its own). Never throws.
void write(level at, std::string_view component, std::string_view message,
           std::initializer_list<field> fields = {}) noexcept;

/// Writes a span of a trace: in JSON with the member `resourceSpans` in front, as OpenTelemetry's collector looks for
/// it, in text as its fields. Level `info`; never thinned out, for whoever traces has chosen how much. Never throws.
/// @param resource_spans  JSON.
void span(std::string_view name, std::string_view resource_spans, std::initializer_list<field> fields) noexcept;

inline void debug(std::string_view component, std::string_view message, std::initializer_list<field> fields = {})
{
    write(level::debug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message, std::initializer_list<field> fields = {})
{
    write(level::info, component, message, fields);
}
inline void warn(std::string_view component, std::string_view message, std::initializer_list<field> fields = {})
{
    write(level::warn, component, message, fields);
}
inline void error(std::string_view component, std::string_view message, std::initializer_list<field> fields = {})
{
    write(level::error, component, message, fields);
}

} // namespace wxcourier::log
