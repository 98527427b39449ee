// SPDX-License-Identifier: Apache-2.0
#include "codec/operator_record_codec.hpp"

#include "codec/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

namespace wxcourier::codec {
namespace {

using domain::operator_change;
using domain::operator_mark;
using domain::operator_snapshot;
using domain::pause_target;
using domain::rate_override;

constexpr std::size_t longest_text = 256;

// ---------------------------------------------------------------------------------------------------------- writing

void add_text(std::string& json, std::string_view name, std::string_view value)
{
    if (value.empty())
        return; // a snapshot has a thousand of these
    json += ",\"";
    json += name;
    json += "\":";
    append_clean_json_string(json, value, longest_text);
}

void add_number(std::string& json, std::string_view name, std::int64_t value)
{
    json += ",\"";
    json += name;
    json += "\":" + std::to_string(value);
}

void add(std::string& json, const pause_target& target)
{
    add_text(json, "app", target.app);
    add_text(json, "kind", target.kind);
    add_text(json, "template", target.template_id);
}

void add(std::string& json, const operator_mark& mark)
{
    add_text(json, "by", mark.by);
    add_text(json, "worker", mark.worker);
    add_number(json, "at", mark.at.time_since_epoch().count());
}

void add(std::string& json, const rate_override& limits)
{
    if (limits.per_second) {
        json += R"(,"per_second":)";
        append_real(json, *limits.per_second);
    }
    if (limits.burst) {
        json += R"(,"burst":)";
        append_real(json, *limits.burst);
    }
    if (limits.concurrency)
        add_number(json, "concurrency", static_cast<std::int64_t>(*limits.concurrency));
}

std::string_view word_of(operator_change::action action)
{
    constexpr std::array<std::string_view, 4> words{"pause", "resume", "rate", "renewed"};
    return words.at(static_cast<std::size_t>(action));
}

/// Objects in brackets; `each_member` appends an object's members, each with its comma in front.
template <typename List, typename Append>
void add_list(std::string& json, std::string_view name, const List& list, Append append)
{
    json += ",\"";
    json += name;
    json += "\":[";
    for (const auto& each : list) {
        if (json.back() != '[')
            json += ',';
        const auto begin = json.size();
        append(each);
        json[begin] = '{'; // in the place of the first comma
        json += '}';
    }
    json += ']';
}

// ---------------------------------------------------------------------------------------------------------- reading

bool read_real(json_value object, std::string_view name, std::optional<double>& into)
{
    const auto value = object.find(name);
    if (!value)
        return true;
    into = real_number(value);
    return into && std::isfinite(*into) && *into >= 0;
}

bool read(json_value object, pause_target& into)
{
    return read_text_if_there(object, "app", into.app) && read_text_if_there(object, "kind", into.kind) &&
           read_text_if_there(object, "template", into.template_id);
}

bool read(json_value object, operator_mark& into)
{
    std::int64_t at = 0;
    if (!read_text_if_there(object, "by", into.by) || !read_text_if_there(object, "worker", into.worker) ||
        !read_number(object, "at", at))
        return false;
    into.at = wall_time{milliseconds{at}};
    return true;
}

bool read(json_value object, rate_override& into)
{
    if (object.find("concurrency") && !read_number(object, "concurrency", into.concurrency.emplace()))
        return false;
    return read_real(object, "per_second", into.per_second) && read_real(object, "burst", into.burst);
}

bool read_action(json_value object, operator_change::action& into)
{
    using enum operator_change::action;
    std::string word;
    if (!read_text_if_there(object, "action", word))
        return false;
    for (const auto each : {pause, resume, rate, renewed}) {
        if (word == word_of(each)) {
            into = each;
            return true;
        }
    }
    return false;
}

/// @param limit  more than that cannot be meant.
template <typename Entry, typename Read>
bool read_list(json_value object, std::string_view name, std::size_t limit, std::vector<Entry>& into, Read read_entry)
{
    const auto list = object.find(name);
    if (!list.is(json_type::array) || list.size() > limit)
        return false;
    for (const auto each : list.children())
        if (!each.is(json_type::object) || !read_entry(each, into.emplace_back()))
            return false;
    return true;
}

} // namespace

std::optional<double> real_number(json_value value)
{
    if (!value.is(json_type::number))
        return std::nullopt;
    const auto text = value.text();
    double number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end)
        return std::nullopt;
    return number;
}

void append_real(std::string& json, double value)
{
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    json.append(digits.data(), end);
}

void append_members(std::string& json, const domain::operator_probe_record& record)
{
    add_text(json, "id", record.id);
}

void append_members(std::string& json, const domain::operator_change_record& record)
{
    add_text(json, "id", record.id);
    add_text(json, "action", word_of(record.change.what));
    add(json, record.change.target);
    add(json, record.change.rate);
    add(json, record.change.mark);
}

void append_members(std::string& json, const domain::operator_state_record& record)
{
    add_number(json, "through", record.all.through);
    add_list(json, "pauses", record.all.pauses, [&json](const operator_snapshot::pause& each) {
        add(json, each.target);
        add(json, each.mark);
        add_number(json, "offset", each.offset);
    });
    add_list(json, "rates", record.all.rates, [&json](const operator_snapshot::rate& each) {
        add_text(json, "app", each.app);
        add(json, each.limits);
        add(json, each.mark);
        add_number(json, "offset", each.offset);
    });
}

std::optional<domain::operator_probe_record> read_operator_probe(json_value object)
{
    domain::operator_probe_record record;
    if (!read_text_if_there(object, "id", record.id) || record.id.empty())
        return std::nullopt;
    return record;
}

std::optional<domain::operator_change_record> read_operator_change(json_value object)
{
    domain::operator_change_record record;
    auto& change = record.change;
    if (!read_text_if_there(object, "id", record.id) || record.id.empty() || !read_action(object, change.what) ||
        !read(object, change.target) || !read(object, change.rate) || !read(object, change.mark))
        return std::nullopt;
    return record;
}

std::optional<domain::operator_state_record> read_operator_state(json_value object)
{
    domain::operator_state_record record;
    const auto read_pause = [](json_value from, operator_snapshot::pause& into) {
        return read(from, into.target) && read(from, into.mark) && read_number(from, "offset", into.offset);
    };
    const auto read_rate = [](json_value from, operator_snapshot::rate& into) {
        return read_text_if_there(from, "app", into.app) && !into.app.empty() && read(from, into.limits) &&
               read(from, into.mark) && read_number(from, "offset", into.offset);
    };
    if (!read_number(object, "through", record.all.through) ||
        !read_list(object, "pauses", domain::operator_state::most_pauses, record.all.pauses, read_pause) ||
        !read_list(object, "rates", domain::operator_state::most_rates, record.all.rates, read_rate))
        return std::nullopt;
    return record;
}

} // namespace wxcourier::codec
