// SPDX-License-Identifier: Apache-2.0
#include "codec/status_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/operator_record_codec.hpp"
#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace wxcourier::codec {
namespace {

using domain::job_state;
using domain::status_record;

/// What changes when the meaning of a member does; additions leave it as it is.
constexpr int status_version = 1;
constexpr std::size_t longest_errmsg = 256;
/// Far beyond what `encode_status` makes of the longest job.
constexpr std::size_t longest_status = 4'000'000;

/// Writes members one after another. Every name is a literal of ours, with its quotes and colon.
class object_writer {
public:
    explicit object_writer(std::string& out) : out_(out) {}

    void text(std::string_view name, std::string_view value)
    {
        begin(name);
        append_clean_json_string(out_, value);
    }
    void text_or_null(std::string_view name, std::optional<std::string_view> value)
    {
        begin(name);
        if (value)
            append_clean_json_string(out_, *value);
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
        const rfc3339_text text = write_rfc3339(value);
        out_.append(text.data(), text.size());
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

void write_labels(std::string& out, const domain::label_list* labels)
{
    if (labels == nullptr) {
        out += "null";
        return;
    }
    out += '{';
    for (const auto& [name, value] : *labels) {
        if (out.back() != '{')
            out += ',';
        append_clean_json_string(out, name);
        out += ':';
        append_clean_json_string(out, value);
    }
    out += '}';
}

void write_source(std::string& out, const domain::source_position* source)
{
    if (source == nullptr || source->topic.empty()) { // an operator's action comes from no record
        out += "null";
        return;
    }
    out += '{';
    object_writer writer{out};
    writer.text("\"topic\":", source->topic);
    writer.number("\"partition\":", source->partition);
    writer.number("\"offset\":", source->offset);
    out += '}';
}

void write_answer(object_writer& writer, const status_view& status)
{
    if (!status.reason.empty())
        writer.text("\"reason\":", status.reason);
    if (status.errcode)
        writer.number("\"errcode\":", *status.errcode);
    if (!status.errmsg.empty())
        append_clean_json_string(writer.begin("\"errmsg\":"), status.errmsg, longest_errmsg);
    if (!status.msgid.empty())
        writer.text("\"msgid\":", status.msgid);
}

void write_times(object_writer& writer, const status_view& status)
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

void write_limits(std::string& out, const domain::rate_override& limits)
{
    out += '{';
    object_writer writer{out};
    const auto real = [&writer](std::string_view name, const std::optional<double>& value) {
        if (value)
            append_real(writer.begin(name), *value);
    };
    real("\"per_second\":", limits.per_second);
    real("\"burst\":", limits.burst);
    if (limits.concurrency)
        writer.number("\"concurrency\":", static_cast<std::int64_t>(*limits.concurrency));
    out += '}';
}

void write_operation(object_writer& writer, const domain::operator_event& operation)
{
    writer.text("\"scope\":", operation.scope);
    if (!operation.template_id.empty())
        writer.text("\"template\":", operation.template_id);
    writer.text("\"operator\":", operation.by);
    if (operation.limits)
        write_limits(writer.begin("\"rate\":"), *operation.limits);
}

// Reading. Each reader answers false for a member of a wrong type; one that is not there leaves the target alone.

bool read_text_or_null(json_value object, std::string_view name, std::optional<std::string>& into)
{
    const auto value = object.find(name);
    if (!value || value.is(json_type::null))
        return true;
    into = value.text();
    return value.is(json_type::string);
}

bool read_time(json_value object, std::string_view name, std::optional<wall_time>& into)
{
    const auto value = object.find(name);
    if (!value)
        return true;
    if (value.is(json_type::string))
        into = parse_rfc3339(value.text());
    return into.has_value();
}

bool read_labels(json_value object, std::optional<domain::label_list>& into)
{
    const auto value = object.find("labels");
    if (!value || value.is(json_type::null))
        return true;
    if (!value.is(json_type::object))
        return false;
    into.emplace();
    for (const auto label : value.children()) {
        if (!label.is(json_type::string))
            return false;
        into->emplace_back(label.key(), label.text());
    }
    return true;
}

bool read_source(json_value object, domain::source_position& into)
{
    const auto value = object.find("source");
    if (!value || value.is(json_type::null))
        return true;
    return value.is(json_type::object) && read_text_if_there(value, "topic", into.topic) &&
           read_number_if_there(value, "partition", into.partition) &&
           read_number_if_there(value, "offset", into.offset);
}

bool read_state(json_value object, job_state& into)
{
    std::string word;
    if (!read_text_if_there(object, "state", word))
        return false;
    for (int state = 0; state <= static_cast<int>(job_state::event); ++state) {
        if (to_string(static_cast<job_state>(state)) == word) {
            into = static_cast<job_state>(state);
            return true;
        }
    }
    return false;
}

bool read_version(json_value object)
{
    int version = 0;
    return read_number_if_there(object, "version", version) && version == status_version;
}

bool read_answer(json_value object, status_record& into)
{
    if (object.find("errcode") && !read_number(object, "errcode", into.errcode.emplace()))
        return false;
    return read_text_if_there(object, "reason", into.reason) && read_text_if_there(object, "errmsg", into.errmsg) &&
           read_text_if_there(object, "msgid", into.msgid) && read_number_if_there(object, "attempts", into.attempts);
}

bool read_times(json_value object, status_record& into)
{
    std::optional<wall_time> enqueued_at;
    if (!read_time(object, "enqueued_at", enqueued_at) || !enqueued_at)
        return false;
    into.enqueued_at = *enqueued_at;
    return read_time(object, "finished_at", into.finished_at) && read_time(object, "retry_at", into.retry_at);
}

bool read_real(json_value object, std::string_view name, std::optional<double>& into)
{
    const auto value = object.find(name);
    if (!value)
        return true;
    into = real_number(value);
    return into.has_value();
}

bool read_operation(json_value object, status_record& into)
{
    if (into.state != job_state::event || !object.find("scope"))
        return true; // of a release that said less
    auto& operation = into.operation.emplace();
    if (!read_text_if_there(object, "scope", operation.scope) ||
        !read_text_if_there(object, "template", operation.template_id) ||
        !read_text_if_there(object, "operator", operation.by))
        return false;
    const auto rate = object.find("rate");
    if (!rate)
        return true;
    auto& limits = operation.limits.emplace();
    return rate.is(json_type::object) && read_real(rate, "per_second", limits.per_second) &&
           read_real(rate, "burst", limits.burst) &&
           (!rate.find("concurrency") || read_number(rate, "concurrency", limits.concurrency.emplace()));
}

} // namespace

status_view::status_view(const status_record& record)
    : id(record.id), app(record.app), kind(record.kind), labels(record.labels ? &*record.labels : nullptr),
      touser(record.touser), state(record.state), reason(record.reason), errcode(record.errcode), errmsg(record.errmsg),
      msgid(record.msgid), attempts(record.attempts), enqueued_at(record.enqueued_at), finished_at(record.finished_at),
      retry_at(record.retry_at), source(&record.source), worker(record.worker),
      operation(record.operation ? &*record.operation : nullptr)
{
}

std::string encode_status(const status_view& status)
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
    if (status.operation != nullptr)
        write_operation(writer, *status.operation);
    json += '}';
    return json;
}

std::optional<status_record> decode_status(std::string_view json)
{
    json_document document;
    if (document.parse(json, longest_status) || !document.root().is(json_type::object))
        return std::nullopt;
    const auto root = document.root();
    status_record status;
    const bool whole = read_version(root) && read_text_or_null(root, "id", status.id) &&
                       read_text_or_null(root, "app", status.app) && read_text_or_null(root, "kind", status.kind) &&
                       read_labels(root, status.labels) && read_text_or_null(root, "touser", status.touser) &&
                       read_state(root, status.state) && read_answer(root, status) && read_times(root, status) &&
                       read_source(root, status.source) && read_text_if_there(root, "worker", status.worker) &&
                       read_operation(root, status);
    if (!whole)
        return std::nullopt;
    return status;
}

} // namespace wxcourier::codec
