// SPDX-License-Identifier: Apache-2.0
#include "simulator/statistics.hpp"

#include "codec/utf8.hpp"
#include "simulator/received_log.hpp"

#include <algorithm>

namespace wxcourier::simulator {

namespace {

constexpr std::size_t kept_seconds = 3'600;

void append_name(std::string& json, std::string_view name)
{
    if (!json.ends_with('{')) {
        json += ',';
    }
    codec::append_clean_json_string(json, name);
    json += ':';
}

void append_count(std::string& json, std::string_view name, std::uint64_t count)
{
    append_name(json, name);
    json += std::to_string(count);
}

template <class Key>
void append_counts(std::string& json, std::string_view name, const std::map<Key, std::uint64_t>& counts)
{
    append_name(json, name);
    json += '{';
    for (const auto& [key, count] : counts) {
        append_count(json, std::to_string(key), count);
    }
    json += '}';
}

/// An object with one member for each entry; `append_value` writes what stands behind the name.
template <class Map, class AppendValue>
void append_object(std::string& json, std::string_view name, const Map& entries, AppendValue append_value)
{
    append_name(json, name);
    json += '{';
    for (const auto& [key, value] : entries) {
        append_name(json, key);
        append_value(value);
    }
    json += '}';
}

} // namespace

void statistics::count(const received_request& request, const endpoint* row)
{
    ++requests_;
    call_counters& call = value_of(calls_, row != nullptr ? row->path : "other");
    ++call.requests;
    ++call.by_status[request.http_status];
    if (request.errcode) {
        ++call.by_errcode[*request.errcode];
    }
    if (row == nullptr || row->what != operation::send) {
        return;
    }
    if (request.accepted) {
        ++(request.duplicate ? suppressed_ : shown_);
    }
    arrivals& seconds_of = value_of(arrivals_, request.appid);
    const std::int64_t second = std::chrono::floor<seconds>(request.at).time_since_epoch().count();
    if (seconds_of.empty() || seconds_of.back().first != second) {
        seconds_of.emplace_back(second, 0);
        if (seconds_of.size() > kept_seconds) {
            seconds_of.pop_front();
        }
    }
    ++seconds_of.back().second;
}

void statistics::count_token(std::string_view appid, token_source source)
{
    ++value_of(tokens_, appid)[static_cast<std::size_t>(source)];
}

void statistics::request_begins() noexcept
{
    in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
}

void statistics::connection_opens() noexcept
{
    ++connections_;
    ++open_connections_;
}

std::uint64_t statistics::answers(std::string_view path, int errcode) const
{
    const auto call = calls_.find(path);
    if (call == calls_.end()) {
        return 0;
    }
    const auto count = call->second.by_errcode.find(errcode);
    return count == call->second.by_errcode.end() ? 0 : count->second;
}

std::uint64_t statistics::tokens(std::string_view appid, token_source source) const
{
    const auto app = tokens_.find(appid);
    return app == tokens_.end() ? 0 : app->second[static_cast<std::size_t>(source)];
}

std::string statistics::to_json() const
{
    std::string json = "{";
    append_count(json, "requests", requests_);
    append_count(json, "shown", shown_);
    append_count(json, "suppressed", suppressed_);
    append_count(json, "in_flight_max", in_flight_max_);
    append_count(json, "connections", connections_);
    append_count(json, "open_connections", open_connections_);
    append_object(json, "calls", calls_, [&json](const call_counters& call) {
        json += '{';
        append_count(json, "requests", call.requests);
        append_counts(json, "errcodes", call.by_errcode);
        append_counts(json, "statuses", call.by_status);
        json += '}';
    });
    append_object(json, "tokens", tokens_, [&json](const std::array<std::uint64_t, 2>& issued) {
        json += '{';
        append_count(json, "classic", issued[static_cast<std::size_t>(token_source::classic)]);
        append_count(json, "stable", issued[static_cast<std::size_t>(token_source::stable)]);
        json += '}';
    });
    append_object(json, "arrivals", arrivals_, [&json](const arrivals& by_second) {
        json += '[';
        for (const auto& [second, count] : by_second) {
            json += json.ends_with('[') ? "[" : ",[";
            json += std::to_string(second) + ',' + std::to_string(count) + ']';
        }
        json += ']';
    });
    return json + '}';
}

void statistics::reset()
{
    const auto flying = in_flight_;
    const auto open = open_connections_;
    *this = {};
    in_flight_ = in_flight_max_ = flying;
    connections_ = open_connections_ = open;
}

} // namespace wxcourier::simulator
