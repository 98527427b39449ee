// SPDX-License-Identifier: Apache-2.0
#include "simulator/statistics.hpp"

#include "simulator/json_document.hpp"
#include "simulator/received_log.hpp"

#include <algorithm>

namespace wxcourier::simulator {

namespace {

constexpr std::size_t kept_seconds = 3'600;

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

void write_name(json_writer& json, std::string_view name)
{
    json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

template <class Key>
void write_counts(json_writer& json, const char* name, const std::map<Key, std::uint64_t>& counts)
{
    json.Key(name);
    json.StartObject();
    for (const auto& [key, count] : counts) {
        write_name(json, std::to_string(key));
        json.Uint64(count);
    }
    json.EndObject();
}

void write_number(json_writer& json, const char* name, std::uint64_t number)
{
    json.Key(name);
    json.Uint64(number);
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
    rapidjson::StringBuffer text;
    json_writer json(text);
    json.StartObject();
    write_number(json, "requests", requests_);
    write_number(json, "shown", shown_);
    write_number(json, "suppressed", suppressed_);
    write_number(json, "in_flight_max", in_flight_max_);
    write_number(json, "connections", connections_);
    write_number(json, "open_connections", open_connections_);
    json.Key("calls");
    json.StartObject();
    for (const auto& [path, call] : calls_) {
        write_name(json, path);
        json.StartObject();
        write_number(json, "requests", call.requests);
        write_counts(json, "errcodes", call.by_errcode);
        write_counts(json, "statuses", call.by_status);
        json.EndObject();
    }
    json.EndObject();
    json.Key("tokens");
    json.StartObject();
    for (const auto& [appid, issued] : tokens_) {
        write_name(json, appid);
        json.StartObject();
        write_number(json, "classic", issued[static_cast<std::size_t>(token_source::classic)]);
        write_number(json, "stable", issued[static_cast<std::size_t>(token_source::stable)]);
        json.EndObject();
    }
    json.EndObject();
    json.Key("arrivals");
    json.StartObject();
    for (const auto& [appid, by_second] : arrivals_) {
        write_name(json, appid);
        json.StartArray();
        for (const auto& [second, count] : by_second) {
            json.StartArray();
            json.Int64(second);
            json.Uint64(count);
            json.EndArray();
        }
        json.EndArray();
    }
    json.EndObject();
    json.EndObject();
    return {text.GetString(), text.GetSize()};
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
