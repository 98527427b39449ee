// SPDX-License-Identifier: Apache-2.0
/// @file
/// W3C trace context of a job, and a span as OpenTelemetry's OTLP/JSON has it.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::codec {

/// What a `traceparent` says. The views last as long as its text.
struct trace_context {
    std::string_view trace_id;  ///< 32 lower-case hex digits.
    std::string_view parent_id; ///< 16.
    bool sampled = false;
};

/// Empty: malformed by W3C Trace Context, to be treated as if there were none. Versions after 00 are read as far as
/// they must agree with it.
std::optional<trace_context> parse_traceparent(std::string_view text) noexcept;

/// A request to somebody else, as a span.
struct client_span {
    trace_context parent;
    std::uint64_t id = 0; ///< Not 0.
    std::string_view name;
    wall_time began{};
    milliseconds lasted{0};
    std::string_view service_instance;
    std::vector<std::pair<std::string_view, std::string_view>> texts; ///< Attributes.
    std::vector<std::pair<std::string_view, std::int64_t>> numbers;   ///< Further ones.
    std::optional<std::string_view> error;                            ///< Why it failed; empty: it did not.
};

/// The span's id as it stands in the trace.
std::string hex_span_id(std::uint64_t id);

/// The value of `resourceSpans` in an OTLP/JSON document: an array with the one span.
std::string encode_resource_spans(const client_span& span);

} // namespace wxcourier::codec
