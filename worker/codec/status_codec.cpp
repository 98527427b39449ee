// SPDX-License-Identifier: Apache-2.0
#include "codec/status_codec.hpp"

#include "codec/rapidjson.hpp"
#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace wxcourier::codec {
namespace {

using domain::job_state;
using domain::status_record;

/// What changes when the meaning of a member does; additions leave it as it is.
constexpr int status_version = 1;
constexpr std::size_t longest_errmsg = 256;

/// Writes members one after another. Every name is a literal of ours, with its quotes and colon.
class object_writer {
public:
    explicit object_writer(std::string& out) : out_(out) {}

    void text(std::string_view name, std::string_view value)
    {
        begin(name);
        append_json_string(out_, value);
    }
    void text_or_null(std::string_view name, const std::optional<std::string>& value)
    {
        begin(name);
        if (value)
            append_json_string(out_, *value);
        else
            out_ += "null";
    }
    void number(std::string_view name, std::int64_t value)
    {
        begin(name);
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
        out_.append(digits.begin(), end);
    }
    void time(std::string_view name, wall_time value)
    {
        begin(name);
        out_ += '"';
        out_ += format_rfc3339(value);
        out_ += '"';
    }
    /// Appends the name and leaves the value to the caller.
    std::string& begin(std::string_view name)
    {
        out_ += separator_;
        out_ += name;
        separator_ = ",";
        return out_;
    }

private:
    std::string& out_;
    std::string_view separator_;
};

void write_labels(std::string& out, const std::optional<domain::label_list>& labels)
{
    if (!labels) {
        out += "null";
        return;
    }
    out += '{';
    for (const auto& [name, value] : *labels) {
        if (out.back() != '{')
            out += ',';
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
    }
    out += '}';
}

void write_source(std::string& out, const domain::source_position& source)
{
    if (source.topic.empty()) { // an operator's action comes from no record
        out += "null";
        return;
    }
    out += '{';
    object_writer writer{out};
    writer.text("\"topic\":", source.topic);
    writer.number("\"partition\":", source.partition);
    writer.number("\"offset\":", source.offset);
    out += '}';
}

void write_answer(object_writer& writer, const status_record& status)
{
    if (!status.reason.empty())
        writer.text("\"reason\":", status.reason);
    if (status.errcode)
        writer.number("\"errcode\":", *status.errcode);
    if (!status.errmsg.empty())
        append_json_string(writer.begin("\"errmsg\":"), status.errmsg, longest_errmsg);
    if (!status.msgid.empty())
        writer.text("\"msgid\":", status.msgid);
}

void write_times(object_writer& writer, const status_record& status)
{
    writer.time("\"enqueued_at\":", status.enqueued_at);
    if (status.finished_at) {
        writer.time("\"finished_at\":", *status.finished_at);
        // A producer's clock may be ahead of ours.
        const auto latency = std::max(*status.finished_at - status.enqueued_at, milliseconds{0});
        writer.number("\"latency_ms\":", latency.count());
    }
    if (status.retry_at)
        writer.time("\"retry_at\":", *status.retry_at);
}

// Reading. Each reader answers false for a member of a wrong type; one that is not there leaves the target alone.

using json_value = rapidjson::Value;

const json_value* find(const json_value& object, const char* name)
{
    const auto member = object.FindMember(name);
    return member == object.MemberEnd() ? nullptr : &member->value;
}

std::string text_of(const json_value& value)
{
    return {value.GetString(), value.GetStringLength()};
}

bool read_text(const json_value& object, const char* name, std::string& into)
{
    const auto* value = find(object, name);
    if (value == nullptr)
        return true;
    if (!value->IsString())
        return false;
    into = text_of(*value);
    return true;
}

bool read_text_or_null(const json_value& object, const char* name, std::optional<std::string>& into)
{
    const auto* value = find(object, name);
    if (value == nullptr || value->IsNull())
        return true;
    if (!value->IsString())
        return false;
    into = text_of(*value);
    return true;
}

bool read_number(const json_value& object, const char* name, int& into)
{
    const auto* value = find(object, name);
    if (value == nullptr)
        return true;
    if (!value->IsInt())
        return false;
    into = value->GetInt();
    return true;
}

bool read_time(const json_value& object, const char* name, std::optional<wall_time>& into)
{
    const auto* value = find(object, name);
    if (value == nullptr)
        return true;
    if (value->IsString())
        into = parse_rfc3339({value->GetString(), value->GetStringLength()});
    return into.has_value();
}

bool read_labels(const json_value& object, std::optional<domain::label_list>& into)
{
    const auto* value = find(object, "labels");
    if (value == nullptr || value->IsNull())
        return true;
    if (!value->IsObject())
        return false;
    into.emplace();
    for (const auto& label : value->GetObject()) {
        if (!label.value.IsString())
            return false;
        into->emplace_back(text_of(label.name), text_of(label.value));
    }
    return true;
}

bool read_source(const json_value& object, domain::source_position& into)
{
    const auto* value = find(object, "source");
    if (value == nullptr || value->IsNull())
        return true;
    if (!value->IsObject())
        return false;
    const auto* offset = find(*value, "offset");
    if (offset == nullptr || !offset->IsInt64())
        return false;
    into.offset = offset->GetInt64();
    return read_text(*value, "topic", into.topic) && read_number(*value, "partition", into.partition);
}

bool read_state(const json_value& object, job_state& into)
{
    std::string word;
    if (!read_text(object, "state", word))
        return false;
    for (auto state = job_state::sent; state <= job_state::event;
         state = job_state{static_cast<std::uint8_t>(static_cast<std::uint8_t>(state) + 1)})
    {
        if (to_string(state) == word) {
            into = state;
            return true;
        }
    }
    return false;
}

bool read_version(const json_value& object)
{
    int version = 0;
    return read_number(object, "version", version) && version == status_version;
}

bool read_answer(const json_value& object, status_record& into)
{
    int errcode = 0;
    if (!read_number(object, "errcode", errcode))
        return false;
    if (find(object, "errcode") != nullptr)
        into.errcode = errcode;
    return read_text(object, "reason", into.reason) && read_text(object, "errmsg", into.errmsg) &&
           read_text(object, "msgid", into.msgid) && read_number(object, "attempts", into.attempts);
}

bool read_times(const json_value& object, status_record& into)
{
    std::optional<wall_time> enqueued_at;
    if (!read_time(object, "enqueued_at", enqueued_at) || !enqueued_at)
        return false;
    into.enqueued_at = *enqueued_at;
    return read_time(object, "finished_at", into.finished_at) && read_time(object, "retry_at", into.retry_at);
}

} // namespace

std::string encode_status(const status_record& status)
{
    std::string json;
    json.reserve(512);
    json += '{';
    object_writer writer{json};
    writer.number("\"version\":", status_version);
    writer.text_or_null("\"id\":", status.id);
    writer.text_or_null("\"app\":", status.app);
    writer.text_or_null("\"kind\":", status.kind);
    write_labels(writer.begin("\"labels\":"), status.labels);
    writer.text_or_null("\"touser\":", status.touser);
    writer.text("\"state\":", to_string(status.state));
    write_answer(writer, status);
    writer.number("\"attempts\":", status.attempts);
    write_times(writer, status);
    write_source(writer.begin("\"source\":"), status.source);
    writer.text("\"worker\":", status.worker);
    json += '}';
    return json;
}

std::optional<status_record> decode_status(std::string_view json)
{
    rapidjson::Document document;
    rapidjson::MemoryStream stream{json.data(), json.size()};
    document.ParseStream<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(stream);
    // The parser takes a NUL for the end of the text.
    if (document.HasParseError() || stream.Tell() != json.size() || !document.IsObject())
        return std::nullopt;
    status_record status;
    const bool whole = read_version(document) && read_text_or_null(document, "id", status.id) &&
                       read_text_or_null(document, "app", status.app) &&
                       read_text_or_null(document, "kind", status.kind) && read_labels(document, status.labels) &&
                       read_text_or_null(document, "touser", status.touser) && read_state(document, status.state) &&
                       read_answer(document, status) && read_times(document, status) &&
                       read_source(document, status.source) && read_text(document, "worker", status.worker);
    if (!whole)
        return std::nullopt;
    return status;
}

} // namespace wxcourier::codec
