// SPDX-License-Identifier: Apache-2.0
#include "codec/message_shape.hpp"

#include "codec/text_facts.hpp"

namespace wxcourier::codec {
namespace {

using domain::member_rule;
using domain::member_type;
using fault = std::optional<std::string>;

constexpr std::string_view recipient_pointer = "/touser";

std::string_view expectation(member_type type) noexcept
{
    switch (type) {
    case member_type::string:
        return "a string";
    case member_type::object:
        return "an object";
    case member_type::array:
        return "an array";
    case member_type::any:
        return "a value";
    }
    return {};
}

bool has_type(merged_value value, member_type type) noexcept
{
    switch (type) {
    case member_type::string:
        return value.type() == json_type::string;
    case member_type::object:
        return value.type() == json_type::object;
    case member_type::array:
        return value.type() == json_type::array;
    case member_type::any:
        return true;
    }
    return false;
}

/// Takes the first name off a rule's pointer; those hold no escapes.
std::string_view take_name(std::string_view& pointer) noexcept
{
    pointer.remove_prefix(1);
    const auto name = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(name.size());
    return name;
}

/// @param where  the value that a missing member is missing from. Its pointer is only made for a fault: it costs a
/// walk.
fault judge(const member_rule& rule, merged_value message, json_value where)
{
    auto value = message;
    for (auto rest = rule.pointer; !rest.empty();) {
        if (!value.is(json_type::object))
            return std::nullopt; // Below something that is absent; if it must be there, its own rule says so.
        value = value.find(take_name(rest));
    }
    const auto expected = [&rule] { return ", expected " + std::string{expectation(rule.type)}; };
    if (!value)
        return rule.required ? fault{where.pointer() + std::string{rule.pointer} + ": missing" + expected()}
                             : std::nullopt;
    if (value.is(json_type::null))
        return rule.required ? fault{value.pointer() + ": null" + expected()} : std::nullopt;
    if (!has_type(value, rule.type))
        return value.pointer() + ": " + std::string{describe(value.type())} + expected();
    if (rule.required && value.is(json_type::string) && value.text().empty())
        return value.pointer() + ": empty" + expected();
    if (rule.max_characters == 0)
        return std::nullopt;
    if (const auto characters = examine(value.text()).characters; characters > rule.max_characters)
        return value.pointer() + ": " + std::to_string(characters) + " characters, expected at most " +
               std::to_string(rule.max_characters);
    return std::nullopt;
}

/// Custom messages: `msgtype`, which has been judged, names the member with the content.
fault judge_content(merged_value message, json_value where)
{
    const auto name = message.find("msgtype").text();
    const auto content = message.find(name);
    if (content.is(json_type::object))
        return std::nullopt;
    auto pointer = where.pointer();
    append_pointer_token(pointer, name);
    const auto found = content ? describe(content.type()) : std::string_view{"missing"};
    return pointer + ": " + std::string{found} + ", expected an object, which msgtype names";
}

/// One field of a template's `data`.
fault judge_field(merged_value field)
{
    if (!field.is(json_type::object))
        return field.pointer() + ": " + std::string{describe(field.type())} + ", expected an object with a value";
    const auto value = field.find("value");
    if (!value)
        return field.pointer() + "/value: missing, expected a string, number or boolean";
    if (value.is(json_type::object) || value.is(json_type::array))
        return value.pointer() + ": " + std::string{describe(value.type())} + ", expected a string, number or boolean";
    return std::nullopt;
}

} // namespace

std::optional<std::string> find_shape_fault(const domain::kind_rule& kind, json_value message)
{
    const merged_value whole{message};
    for (const auto& rule : kind.members) {
        if (rule.pointer == recipient_pointer)
            continue;
        if (auto found = judge(rule, whole, message))
            return found;
    }
    if (kind.has_msgtype)
        return judge_content(whole, message);
    const auto data = message.find("data");
    if (kind.data == domain::data_shape::none || !data.is(json_type::object))
        return std::nullopt;
    for (const auto field : data.children()) {
        if (auto found = judge_field(merged_value{field}))
            return found;
    }
    return std::nullopt;
}

merged_shape::merged_shape(const domain::kind_rule& kind, json_value message)
    : kind_(kind), message_(message), data_(message.find("data"))
{
    for (const auto& rule : kind.members)
        member_faults_.push_back(judge(rule, merged_value{message}, message));
    if (!data_.is(json_type::object))
        return;
    for (const auto field : data_.children()) {
        if (judge_field(merged_value{field}))
            bad_fields_.push_back(field);
    }
}

std::optional<std::string> merged_shape::find_fault(json_value recipient) const
{
    const merged_value whole{message_, recipient};
    for (std::size_t index = 0; index < kind_.members.size(); ++index) {
        const auto& rule = kind_.members[index];
        if (rule.pointer == recipient_pointer)
            continue;
        auto rest = rule.pointer;
        auto found = recipient.find(take_name(rest)) ? judge(rule, whole, recipient) : member_faults_[index];
        if (found)
            return found;
    }
    if (kind_.has_msgtype)
        return judge_content(whole, recipient);
    return kind_.data == domain::data_shape::none ? std::nullopt : find_field_fault(recipient);
}

std::optional<std::string> merged_shape::find_field_fault(json_value recipient) const
{
    const auto changes = recipient.find("data");
    if (changes && changes.type() != json_type::object)
        return std::nullopt; // Null takes `data` away; anything else was refused by its rule.
    for (const auto field : bad_fields_) {
        if (!changes || !changes.find(field.key()))
            return judge_field(merged_value{field});
    }
    if (!changes)
        return std::nullopt;
    for (const auto change : changes.children()) {
        if (change.is(json_type::null))
            continue;
        const auto field = data_.is(json_type::object) ? data_.find(change.key()) : json_value{};
        if (auto found = judge_field(merged_value{field, change}))
            return found;
    }
    return std::nullopt;
}

} // namespace wxcourier::codec
