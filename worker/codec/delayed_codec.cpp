// SPDX-License-Identifier: Apache-2.0
#include "codec/delayed_codec.hpp"

#include "codec/index_ranges.hpp"
#include "codec/job_codec.hpp"
#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace wxcourier::codec {
namespace {

using domain::attempted_message;
using domain::delayed_job;

constexpr std::string_view version = "1";
constexpr std::string_view source_name = "wxcourier.source";
constexpr std::string_view due_name = "wxcourier.due";
constexpr std::string_view enqueued_name = "wxcourier.enqueued_at";
constexpr std::string_view attempts_name = "wxcourier.attempts";
constexpr std::string_view end_name = "wxcourier.due_is_exact";
constexpr std::string_view reason_name = "wxcourier.waits_for";
constexpr std::string_view since_name = "wxcourier.waits_since";
constexpr std::string_view reported_name = "wxcourier.deferred";
constexpr std::string_view finished_name = "wxcourier.finished";
constexpr std::string_view failed_name = "wxcourier.failed";
constexpr std::string_view failed_for_name = "wxcourier.failed_for";
constexpr std::string_view attempted_name = "wxcourier.attempted";
constexpr std::string_view notes_name = "wxcourier.attempts_at";
constexpr std::string_view unknown_name = "wxcourier.failed_unknown";
constexpr std::string_view failure_text_name = "wxcourier.failed_error";
constexpr std::string_view failure_log_name = "wxcourier.failed_attempts";

/// The notes of a job's messages, all together: more than a record can carry could be made of 10,000 recipients.
constexpr std::size_t longest_notes = 16 * 1024;
constexpr std::size_t longest_failure_text = 256;

template <typename Number>
std::optional<Number> decode_number(std::string_view text)
{
    Number value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stopped != end)
        return std::nullopt;
    return value;
}

/// Takes what stands before the next `separator` off the front.
std::string_view take(std::string_view& text, char separator)
{
    const auto part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

/// Of each message: index, attempts, retries, active milliseconds, begin of the first unknown attempt in milliseconds
/// since the epoch, errcode; the last two are empty where there is none.
std::string encode_attempted(const std::vector<attempted_message>& messages)
{
    std::string text;
    for (const auto& each : messages) {
        if (!text.empty())
            text += ',';
        text += std::to_string(each.index) + ':' + std::to_string(each.attempts) + ':' + std::to_string(each.retries) +
                ':' + std::to_string(each.active_for.count()) + ':';
        if (each.first_unknown)
            text += std::to_string(each.first_unknown->time_since_epoch().count());
        text += ':';
        if (each.errcode)
            text += std::to_string(*each.errcode);
    }
    return text;
}

std::vector<attempted_message> decode_attempted(std::string_view text)
{
    std::vector<attempted_message> messages;
    while (!text.empty() && messages.size() < most_recipients) {
        auto one = take(text, ',');
        const auto index = decode_number<std::int64_t>(take(one, ':'));
        const auto attempts = decode_number<int>(take(one, ':'));
        const auto retries = decode_number<int>(take(one, ':'));
        const auto active = decode_number<std::int64_t>(take(one, ':'));
        const auto unknown = decode_number<std::int64_t>(take(one, ':'));
        const auto errcode = decode_number<int>(take(one, ':'));
        if (!index || *index < 0 || !attempts || *attempts < 0 || !retries || *retries < 0 || !active || *active < 0)
            continue; // what is lost with it is how often a message was tried, not the message
        attempted_message message{.index = *index,
                                  .attempts = *attempts,
                                  .retries = *retries,
                                  .active_for = milliseconds{*active},
                                  .first_unknown = std::nullopt,
                                  .errcode = errcode};
        if (unknown)
            message.first_unknown = wall_time{milliseconds{*unknown}};
        messages.push_back(message);
    }
    return messages;
}

/// `INDEX:NOTED:` and of each note that is kept, `|` between them: when it began in milliseconds since the epoch,
/// latency in ms, errcode, HTTP status, failure; what there is not is left empty.
std::string encode_notes(const attempted_message& message)
{
    auto text = std::to_string(message.index) + ':' + std::to_string(message.notes.noted) + ':';
    for (bool first = true; const auto& each : message.notes.kept) {
        if (!std::exchange(first, false))
            text += '|';
        text +=
            std::to_string(each.began.time_since_epoch().count()) + '/' + std::to_string(each.latency.count()) + '/';
        if (each.errcode)
            text += std::to_string(*each.errcode);
        text += '/';
        if (each.http_status != 0)
            text += std::to_string(each.http_status);
        text += '/';
        if (each.failure != domain::transport_failure::none)
            text += to_string(each.failure);
    }
    return text;
}

/// Notes that cannot be read are left out: they are for people.
domain::attempt_notes decode_notes(std::string_view text)
{
    domain::attempt_notes notes;
    notes.noted = decode_number<std::size_t>(take(text, ':')).value_or(0);
    while (!text.empty() && notes.kept.size() < domain::attempt_log::first_kept + domain::attempt_log::last_kept) {
        auto one = take(text, '|');
        const auto began = decode_number<std::int64_t>(take(one, '/'));
        const auto latency = decode_number<std::int64_t>(take(one, '/'));
        const auto errcode = decode_number<int>(take(one, '/'));
        const auto status = decode_number<int>(take(one, '/'));
        if (began && latency)
            notes.kept.push_back({wall_time{milliseconds{*began}}, milliseconds{*latency}, errcode, status.value_or(0),
                                  domain::transport_failure_of(take(one, '/'))});
    }
    return notes;
}

std::string encode_all_notes(const std::vector<attempted_message>& messages)
{
    std::string text;
    for (const auto& each : messages) {
        if (each.notes.kept.empty())
            continue;
        auto one = encode_notes(each);
        if (text.size() + one.size() >= longest_notes)
            break;
        text += (text.empty() ? "" : ",") + std::move(one);
    }
    return text;
}

void decode_all_notes(std::string_view text, std::vector<attempted_message>& messages)
{
    while (!text.empty()) {
        auto one = take(text, ',');
        const auto index = decode_number<std::int64_t>(take(one, ':'));
        const auto of = std::find_if(messages.begin(), messages.end(),
                                     [&index](const auto& each) { return index && each.index == *index; });
        if (of != messages.end())
            of->notes = decode_notes(one);
    }
}

void decode_failure(std::string_view text, attempted_message& into)
{
    const auto attempts = decode_number<int>(take(text, ':'));
    const auto index = decode_number<std::int64_t>(take(text, ':'));
    if (!attempts || *attempts < 0 || !index || *index < 0)
        return;
    into.attempts = *attempts;
    into.index = *index;
    into.notes = decode_notes(text);
}

/// `topic/partition/offset`; a topic's name has no slash.
std::optional<domain::source_position> decode_source(std::string_view text)
{
    auto rest = text;
    const auto topic = take(rest, '/');
    const auto partition = decode_number<std::int32_t>(take(rest, '/'));
    const auto offset = decode_number<std::int64_t>(rest);
    if (topic.empty() || !partition || *partition < 0 || !offset || *offset < 0)
        return std::nullopt;
    return domain::source_position{std::string(topic), *partition, *offset};
}

int most_attempts(const delayed_job& job)
{
    int most = 0;
    for (const auto& each : job.attempted)
        most = std::max(most, each.attempts);
    return most;
}

void read_header(std::string_view name, std::string_view value, delayed_job& job)
{
    if (name == end_name)
        job.end = domain::wait_end::known;
    else if (name == reason_name)
        job.reason = value;
    else if (name == since_name)
        job.waits_since = parse_rfc3339(value).value_or(job.waits_since);
    else if (name == reported_name)
        job.reported = true;
    else if (name == finished_name)
        job.finished = decode_index_ranges(value).value_or(std::vector<domain::index_range>{});
    else if (name == failed_name)
        job.failed = decode_index_ranges(value).value_or(std::vector<domain::index_range>{});
    else if (name == failed_for_name)
        job.failed_for = value;
    else if (name == unknown_name)
        job.unknown = value.empty() ? std::vector<domain::index_range>{} : decode_index_ranges(value);
    else if (name == failure_text_name)
        job.failure_text = value;
    else if (name == failure_log_name)
        decode_failure(value, job.failure);
    else if (name == attempted_name)
        job.attempted = decode_attempted(value);
    else if (name == notes_name) // written behind it
        decode_all_notes(value, job.attempted);
}

} // namespace

std::vector<std::pair<std::string, std::string>> delayed_headers(const delayed_job& job)
{
    std::vector<std::pair<std::string, std::string>> headers;
    const auto add = [&headers](std::string_view name, std::string value) {
        headers.emplace_back(std::string(name), std::move(value));
    };
    add(delayed_mark, std::string(version));
    add(source_name, to_string(job.source));
    add(due_name, format_rfc3339(job.due));
    add(enqueued_name, format_rfc3339(job.enqueued_at));
    add(attempts_name, std::to_string(most_attempts(job)));
    if (job.end == domain::wait_end::known)
        add(end_name, "1");
    if (!job.reason.empty())
        add(reason_name, job.reason);
    add(since_name, format_rfc3339(job.waits_since));
    if (job.reported)
        add(reported_name, "1");
    if (!job.finished.empty())
        add(finished_name, encode_index_ranges(job.finished));
    if (!job.failed.empty())
        add(failed_name, encode_index_ranges(job.failed));
    if (!job.failed_for.empty())
        add(failed_for_name, job.failed_for);
    if (!job.failed.empty() && job.unknown)
        add(unknown_name, encode_index_ranges(*job.unknown));
    if (!job.failure_text.empty())
        append_utf8(headers.emplace_back(std::string(failure_text_name), "").second, job.failure_text,
                    longest_failure_text);
    if (job.failure.attempts > 0)
        add(failure_log_name, std::to_string(job.failure.attempts) + ':' + encode_notes(job.failure));
    if (!job.attempted.empty())
        add(attempted_name, encode_attempted(job.attempted));
    if (auto notes = encode_all_notes(job.attempted); !notes.empty())
        add(notes_name, std::move(notes));
    return headers;
}

std::optional<delayed_job>
decode_delayed_headers(std::span<const std::pair<std::string_view, std::string_view>> headers)
{
    const auto value_of = [headers](std::string_view name) {
        const auto found =
            std::find_if(headers.begin(), headers.end(), [name](const auto& each) { return each.first == name; });
        return found == headers.end() ? std::string_view{} : found->second;
    };
    auto source = decode_source(value_of(source_name));
    const auto due = parse_rfc3339(value_of(due_name));
    const auto enqueued_at = parse_rfc3339(value_of(enqueued_name));
    if (headers.empty() || headers.front().first != delayed_mark || !source || !due || !enqueued_at)
        return std::nullopt;
    delayed_job job;
    job.source = std::move(*source);
    job.due = *due;
    job.enqueued_at = *enqueued_at;
    job.waits_since = *due;
    for (const auto& [name, value] : headers)
        read_header(name, value, job);
    return job;
}

} // namespace wxcourier::codec
