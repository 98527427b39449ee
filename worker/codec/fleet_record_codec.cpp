// SPDX-License-Identifier: Apache-2.0
#include "codec/fleet_record_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/operator_record_codec.hpp"
#include "codec/utf8.hpp"

#include <utility>

namespace wxcourier::codec {
namespace {

using domain::fleet_record;
using domain::leading_record;
using domain::rate_report_record;
using domain::rate_table_record;
using domain::refresh_failed_record;
using domain::refreshing_record;
using domain::token_rejected_record;
using domain::token_stamp;

constexpr int fleet_version = 1;
/// What fits a broker's default; operators' snapshots are the longest.
constexpr std::size_t longest_record = 1'000'000;
constexpr std::size_t longest_errmsg = 256;
constexpr std::size_t longest_name = 512;

// ---------------------------------------------------------------------------------------------------------- writing

std::string begin(std::string_view type)
{
    std::string json = R"({"version":)" + std::to_string(fleet_version) + R"(,"type":")";
    json += type;
    json += '"';
    return json;
}

void add_text(std::string& json, std::string_view name, std::string_view value)
{
    json += ",\"";
    json += name;
    json += "\":";
    append_clean_json_string(json, value, longest_errmsg);
}

template <typename Number>
void add_number(std::string& json, std::string_view name, Number value)
{
    json += ",\"";
    json += name;
    json += "\":" + std::to_string(value);
}

void add_token(std::string& json, const std::string& app, token_stamp stamp)
{
    add_text(json, "app", app);
    add_number(json, "term", stamp.term);
    add_number(json, "generation", stamp.generation);
}

std::string encode(const leading_record& record)
{
    auto json = begin("leading");
    add_number(json, "term", record.term);
    add_text(json, "member", record.member);
    add_text(json, "worker", record.worker);
    return json;
}

std::string encode(const refreshing_record& record)
{
    auto json = begin("refreshing");
    add_token(json, record.app, record.stamp);
    return json;
}

std::string encode(const refresh_failed_record& record)
{
    auto json = begin("refresh_failed");
    add_token(json, record.app, record.stamp);
    if (record.errcode)
        add_number(json, "errcode", *record.errcode);
    add_text(json, "errmsg", record.errmsg);
    return json;
}

std::string encode(const token_rejected_record& record)
{
    auto json = begin("token_rejected");
    add_token(json, record.app, record.stamp);
    json += record.proven ? R"(,"proven":true)" : R"(,"proven":false)";
    return json;
}

template <typename Record>
std::string encode_words(std::string_view type, const Record& record)
{
    auto json = begin(type);
    append_members(json, record);
    return json;
}

std::string encode(const domain::operator_probe_record& record)
{
    return encode_words("operator_probe", record);
}

std::string encode(const domain::operator_change_record& record)
{
    return encode_words("operator_change", record);
}

std::string encode(const domain::operator_state_record& record)
{
    return encode_words("operator_state", record);
}

/// Appends `,"NAME":[…]`, each element by `element`.
template <typename List, typename Element>
void add_list(std::string& json, std::string_view name, const List& list, Element element)
{
    json += ",\"";
    json += name;
    json += "\":[";
    for (bool first = true; const auto& each : list) {
        if (!std::exchange(first, false))
            json += ',';
        element(each);
    }
    json += ']';
}

/// Appends `{"NAME":"VALUE"`, to be closed.
void begin_object(std::string& json, std::string_view name, std::string_view value)
{
    json += "{\"";
    json += name;
    json += "\":";
    append_clean_json_string(json, value, longest_name);
}

std::string encode(const rate_report_record& record)
{
    auto json = begin("rate_report");
    add_text(json, "member", record.member);
    add_number(json, "number", record.number);
    add_number(json, "term", record.applied.term);
    add_number(json, "table", record.applied.number);
    if (record.leaving)
        json += R"(,"leaving":true)";
    if (!record.seat.empty())
        add_text(json, "seat", record.seat);
    add_list(json, "apps", record.demands, [&json](const domain::rate_demand& each) {
        begin_object(json, "app", each.app);
        add_number(json, "wanted", each.wanted);
        add_number(json, "weight", each.weight);
        json += '}';
    });
    return json;
}

std::string encode(const rate_table_record& record)
{
    auto json = begin("rate_table");
    add_number(json, "term", record.version.term);
    add_number(json, "table", record.version.number);
    add_list(json, "silent", record.silent, [&json](const domain::silent_member& each) {
        begin_object(json, "member", each.member);
        add_number(json, "last", each.last_report);
        json += '}';
    });
    add_list(json, "apps", record.apps, [&json](const domain::app_shares& app) {
        begin_object(json, "app", app.app);
        add_list(json, "shares", app.shares, [&json](const domain::rate_share& each) {
            begin_object(json, "member", each.member);
            add_number(json, "rate", each.amount.rate);
            add_number(json, "burst", each.amount.burst);
            json += '}';
        });
        json += '}';
    });
    return json;
}

void add_quota(std::string& json, std::string_view name, const domain::quota_amount& amount)
{
    json += ",\"";
    json += name;
    json += R"(":{"high":)" + std::to_string(amount.high) + R"(,"normal":)" + std::to_string(amount.normal) + '}';
}

std::string encode(const domain::quota_report_record& record)
{
    auto json = begin("quota_report");
    add_text(json, "member", record.member);
    add_number(json, "number", record.number);
    add_number(json, "day", record.day);
    if (record.leaving)
        json += R"(,"leaving":true)";
    add_list(json, "calls", record.calls, [&json](const domain::quota_demand& each) {
        begin_object(json, "app", each.app);
        add_text(json, "call", each.call);
        add_quota(json, "spent", each.spent);
        add_quota(json, "kept", each.kept);
        add_quota(json, "wanted", each.wanted);
        if (each.refused != 0)
            add_number(json, "refused", each.refused);
        json += '}';
    });
    return json;
}

std::string encode(const domain::quota_table_record& record)
{
    auto json = begin("quota_table");
    add_number(json, "term", record.term);
    add_number(json, "day", record.day);
    add_text(json, "app", record.app);
    add_text(json, "call", record.call);
    add_number(json, "all", record.limit.all);
    add_number(json, "normal", record.limit.normal);
    if (record.exhausted)
        json += R"(,"exhausted":true)";
    add_quota(json, "gone", record.gone);
    add_list(json, "grants", record.grants, [&json](const domain::quota_grant& each) {
        begin_object(json, "member", each.member);
        add_number(json, "report", each.report);
        add_quota(json, "may", each.amount);
        json += '}';
    });
    return json;
}

std::string encode(const domain::quota_mark_record& record)
{
    auto json = begin("quota_mark");
    add_number(json, "term", record.term);
    add_number(json, "from", record.from);
    return json;
}

// ---------------------------------------------------------------------------------------------------------- reading

bool read_text(json_value object, std::string_view name, std::string& into)
{
    const auto value = object.find(name);
    if (!value.is(json_type::string) || value.text().size() > longest_name)
        return false;
    into = value.text();
    return true;
}

bool read_token(json_value object, std::string& app, token_stamp& stamp)
{
    return read_text(object, "app", app) && read_number(object, "term", stamp.term) &&
           read_number(object, "generation", stamp.generation);
}

std::optional<fleet_record> read_leading(json_value root)
{
    leading_record read;
    if (!read_number(root, "term", read.term) || !read_text(root, "member", read.member) || read.member.empty() ||
        !read_text(root, "worker", read.worker))
        return std::nullopt;
    return read;
}

std::optional<fleet_record> read_refreshing(json_value root)
{
    refreshing_record read;
    if (!read_token(root, read.app, read.stamp))
        return std::nullopt;
    return read;
}

std::optional<fleet_record> read_refresh_failed(json_value root)
{
    refresh_failed_record read;
    if (!read_token(root, read.app, read.stamp) || !read_text(root, "errmsg", read.errmsg))
        return std::nullopt;
    if (root.find("errcode") && !read_number(root, "errcode", read.errcode.emplace()))
        return std::nullopt;
    return read;
}

std::optional<fleet_record> read_token_rejected(json_value root)
{
    token_rejected_record read;
    const auto proven = root.find("proven");
    if (!read_token(root, read.app, read.stamp) || !proven.is(json_type::boolean))
        return std::nullopt;
    read.proven = proven.boolean();
    return read;
}

/// False: it is no list, or `element` refuses one of its elements.
template <typename Element>
bool read_list(json_value object, std::string_view name, Element element)
{
    const auto list = object.find(name);
    if (!list.is(json_type::array))
        return false;
    for (const auto each : list.children())
        if (!each.is(json_type::object) || !element(each))
            return false;
    return true;
}

/// Amounts are never below zero.
bool read_amount(json_value object, std::string_view name, std::int64_t& into)
{
    return read_number(object, name, into) && into >= 0;
}

std::optional<fleet_record> read_rate_report(json_value root)
{
    rate_report_record read;
    const auto leaving = root.find("leaving");
    if (!read_text(root, "member", read.member) || read.member.empty() || !read_number(root, "number", read.number) ||
        !read_number(root, "term", read.applied.term) || !read_number(root, "table", read.applied.number) ||
        (leaving && !leaving.is(json_type::boolean)))
        return std::nullopt;
    read.leaving = leaving && leaving.boolean();
    if (root.find("seat") && !read_text(root, "seat", read.seat))
        return std::nullopt;
    const bool good = read_list(root, "apps", [&read](json_value each) {
        auto& demand = read.demands.emplace_back();
        return read_text(each, "app", demand.app) && read_amount(each, "wanted", demand.wanted) &&
               read_amount(each, "weight", demand.weight);
    });
    return good ? std::optional<fleet_record>(std::move(read)) : std::nullopt;
}

bool read_app_shares(json_value object, domain::app_shares& into)
{
    return read_text(object, "app", into.app) && read_list(object, "shares", [&into](json_value each) {
               auto& share = into.shares.emplace_back();
               return read_text(each, "member", share.member) && read_amount(each, "rate", share.amount.rate) &&
                      read_amount(each, "burst", share.amount.burst);
           });
}

std::optional<fleet_record> read_rate_table(json_value root)
{
    rate_table_record read;
    const bool good =
        read_number(root, "term", read.version.term) && read_number(root, "table", read.version.number) &&
        read_list(root, "silent",
                  [&read](json_value each) {
                      auto& silent = read.silent.emplace_back();
                      return read_text(each, "member", silent.member) && read_number(each, "last", silent.last_report);
                  }) &&
        read_list(root, "apps", [&read](json_value each) { return read_app_shares(each, read.apps.emplace_back()); });
    return good ? std::optional<fleet_record>(std::move(read)) : std::nullopt;
}

/// False: it is there and no boolean.
bool read_flag(json_value object, std::string_view name, bool& into)
{
    const auto flag = object.find(name);
    if (flag && !flag.is(json_type::boolean))
        return false;
    into = flag && flag.boolean();
    return true;
}

bool read_quota(json_value object, std::string_view name, domain::quota_amount& into)
{
    const auto amount = object.find(name);
    return amount.is(json_type::object) && read_amount(amount, "high", into.high) &&
           read_amount(amount, "normal", into.normal);
}

bool read_quota_demand(json_value object, domain::quota_demand& into)
{
    return read_text(object, "app", into.app) && read_text(object, "call", into.call) &&
           read_quota(object, "spent", into.spent) && read_quota(object, "kept", into.kept) &&
           read_quota(object, "wanted", into.wanted) &&
           (!object.find("refused") || read_number(object, "refused", into.refused));
}

std::optional<fleet_record> read_quota_report(json_value root)
{
    domain::quota_report_record read;
    const bool good = read_text(root, "member", read.member) && !read.member.empty() &&
                      read_number(root, "number", read.number) && read_number(root, "day", read.day) &&
                      read_flag(root, "leaving", read.leaving) && read_list(root, "calls", [&read](json_value each) {
                          return read_quota_demand(each, read.calls.emplace_back());
                      });
    return good ? std::optional<fleet_record>(std::move(read)) : std::nullopt;
}

std::optional<fleet_record> read_quota_table(json_value root)
{
    domain::quota_table_record read;
    const bool good = read_number(root, "term", read.term) && read_number(root, "day", read.day) &&
                      read_text(root, "app", read.app) && read_text(root, "call", read.call) &&
                      read_amount(root, "all", read.limit.all) && read_amount(root, "normal", read.limit.normal) &&
                      read_flag(root, "exhausted", read.exhausted) && read_quota(root, "gone", read.gone) &&
                      read_list(root, "grants", [&read](json_value each) {
                          auto& grant = read.grants.emplace_back();
                          return read_text(each, "member", grant.member) && read_number(each, "report", grant.report) &&
                                 read_quota(each, "may", grant.amount);
                      });
    return good ? std::optional<fleet_record>(std::move(read)) : std::nullopt;
}

std::optional<fleet_record> read_quota_mark(json_value root)
{
    domain::quota_mark_record read;
    if (!read_number(root, "term", read.term) || !read_amount(root, "from", read.from))
        return std::nullopt;
    return read;
}

} // namespace

std::string encode_fleet_record(const fleet_record& record)
{
    auto json = std::visit([](const auto& each) { return encode(each); }, record);
    json += '}';
    return json;
}

read_fleet_record decode_fleet_record(std::string_view json)
{
    json_document document;
    if (document.parse(json, longest_record) || !document.root().is(json_type::object))
        return {};
    const auto root = document.root();
    int version = 0;
    std::string type;
    if (!read_number(root, "version", version) || !read_text(root, "type", type))
        return {};
    if (version != fleet_version)
        return {std::nullopt, true};
    if (type == "leading")
        return {read_leading(root)};
    if (type == "refreshing")
        return {read_refreshing(root)};
    if (type == "refresh_failed")
        return {read_refresh_failed(root)};
    if (type == "token_rejected")
        return {read_token_rejected(root)};
    if (type == "operator_probe")
        return {read_operator_probe(root)};
    if (type == "operator_change")
        return {read_operator_change(root)};
    if (type == "operator_state")
        return {read_operator_state(root)};
    if (type == "rate_report")
        return {read_rate_report(root)};
    if (type == "rate_table")
        return {read_rate_table(root)};
    if (type == "quota_report")
        return {read_quota_report(root)};
    if (type == "quota_table")
        return {read_quota_table(root)};
    if (type == "quota_mark")
        return {read_quota_mark(root)};
    return {std::nullopt, true};
}

} // namespace wxcourier::codec
