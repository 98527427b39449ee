// SPDX-License-Identifier: Apache-2.0
#include "codec/trace_codec.hpp"

#include "codec/utf8.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::codec {
namespace {

constexpr std::size_t length_of_version_0 = 55;
constexpr std::size_t longest_text = 256;
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_hex(std::string_view text) noexcept
{
    return text.find_first_not_of(hex_digits) == std::string_view::npos;
}

bool is_zero(std::string_view text) noexcept
{
    return text.find_first_not_of('0') == std::string_view::npos;
}

void add_attribute(std::string& json, std::string_view key, std::string_view type, std::string_view value, bool quoted)
{
    if (json.back() != '[')
        json += ',';
    json += R"({"key":")";
    json += key;
    json += R"(","value":{")";
    json += type;
    json += "\":";
    if (quoted)
        json += '"' + std::string(value) + '"';
    else
        append_clean_json_string(json, value, longest_text);
    json += "}}";
}

std::string nanoseconds(wall_time time)
{
    return '"' + std::to_string(std::chrono::nanoseconds(time.time_since_epoch()).count()) + '"';
}

} // namespace

std::optional<trace_context> parse_traceparent(std::string_view text) noexcept
{
    if (text.size() < length_of_version_0)
        return std::nullopt;
    const auto version = text.substr(0, 2);
    const trace_context context{text.substr(3, 32), text.substr(36, 16), false};
    const auto flags = text.substr(53, 2);
    const bool dashed = text[2] == '-' && text[35] == '-' && text[52] == '-';
    const bool ends_well = version == "00" ? text.size() == length_of_version_0
                                           : text.size() == length_of_version_0 || text[length_of_version_0] == '-';
    if (!dashed || !ends_well || version == "ff" || !is_hex(version) || !is_hex(context.trace_id) ||
        !is_hex(context.parent_id) || !is_hex(flags) || is_zero(context.trace_id) || is_zero(context.parent_id))
        return std::nullopt;
    return trace_context{context.trace_id, context.parent_id, hex_digits.find(flags[1]) % 2 == 1};
}

std::string hex_span_id(std::uint64_t id)
{
    std::string text(16, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, id >>= 4U)
        *digit = hex_digits[id & 0xFU];
    return text;
}

std::string encode_resource_spans(const client_span& span)
{
    constexpr int kind_client = 3;
    constexpr int status_error = 2;
    std::string json = R"([{"resource":{"attributes":[)";
    add_attribute(json, "service.name", "stringValue", "wxcourier", false);
    add_attribute(json, "service.instance.id", "stringValue", span.service_instance, false);
    json += R"(]},"scopeSpans":[{"scope":{"name":"wxcourier"},"spans":[{"traceId":")";
    json += span.parent.trace_id;
    json += R"(","spanId":")" + hex_span_id(span.id) + R"(","parentSpanId":")";
    json += span.parent.parent_id;
    json += R"(","flags":1,"name":)";
    append_clean_json_string(json, span.name, longest_text);
    json += R"(,"kind":)" + std::to_string(kind_client);
    json += R"(,"startTimeUnixNano":)" + nanoseconds(span.began);
    json += R"(,"endTimeUnixNano":)" + nanoseconds(span.began + span.lasted);
    json += R"(,"attributes":[)";
    for (const auto& [key, value] : span.texts)
        add_attribute(json, key, "stringValue", value, false);
    for (const auto& [key, value] : span.numbers)
        add_attribute(json, key, "intValue", std::to_string(value), true);
    json += R"(],"status":{)";
    if (span.error) {
        json += R"("code":)" + std::to_string(status_error) + R"(,"message":)";
        append_clean_json_string(json, *span.error, longest_text);
    }
    return json + "}}]}]}]";
}

} // namespace wxcourier::codec
