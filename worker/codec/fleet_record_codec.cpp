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

// ---------------------------------------------------------------------------------------------------------- reading

bool read_text(json_value object, std::string_view name, std::string& into)
{
    const auto value = object.find(name);
    if (!value.is(json_type::string) || value.text().size() > longest_name)
        return false;
    into = value.text();
    return true;
}

template <typename Number>
bool read_number(json_value object, std::string_view name, Number& into)
{
    const auto value = object.find(name);
    const auto number = value ? value.integer() : std::nullopt;
    if (!number || !std::in_range<Number>(*number))
        return false;
    into = static_cast<Number>(*number);
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
    return {std::nullopt, true};
}

} // namespace wxcourier::codec
