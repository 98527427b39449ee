// SPDX-License-Identifier: Apache-2.0
#include "simulator/json_document.hpp"

#include "simulator/utf8.hpp"

#include <charconv>
#include <cstring>

namespace wxcourier::simulator {

const json_value* json_document::parse(std::string_view text)
{
    constexpr unsigned strict = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
    document_.SetNull();
    pool_.Clear();
    if (text.find('\0') != std::string_view::npos) {
        return nullptr;
    }
    document_.Parse<strict>(text.data(), text.size());
    return document_.HasParseError() ? nullptr : &document_;
}

bool has_unicode_escape(std::string_view text) noexcept
{
    for (std::size_t at = text.find('\\'); at != std::string_view::npos && at + 1 < text.size();
         at = text.find('\\', at + 2))
    {
        if (text[at + 1] == 'u') {
            return true;
        }
    }
    return false;
}

const json_value* member(const json_value& object, std::string_view name)
{
    if (!object.IsObject()) {
        return nullptr;
    }
    const auto key = rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    const auto found = object.FindMember(json_value(key));
    return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
}

std::optional<std::string_view> text_of(const json_value* value)
{
    if (value == nullptr || !value->IsString()) {
        return std::nullopt;
    }
    return std::string_view(value->GetString(), value->GetStringLength());
}

std::string_view text_member(const json_value& object, std::string_view name)
{
    return text_of(member(object, name)).value_or(std::string_view{});
}

std::string shown_text(const json_value& value)
{
    if (value.IsString()) {
        return {value.GetString(), value.GetStringLength()};
    }
    if (value.IsBool()) {
        return value.GetBool() ? "true" : "false";
    }
    if (value.IsInt64()) {
        return std::to_string(value.GetInt64());
    }
    if (value.IsUint64()) {
        return std::to_string(value.GetUint64());
    }
    if (value.IsDouble()) {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.GetDouble()).ptr;
        return {digits.data(), end};
    }
    return {};
}

void append_json_string(std::string& out, std::string_view text)
{
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x80) {
            const std::size_t start = at;
            if (next_code_point(text, at) == not_utf8) {
                out += "\xEF\xBF\xBD";
            } else {
                out += text.substr(start, at - start);
            }
            continue;
        }
        ++at;
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += static_cast<char>(byte);
        } else if (byte == '\n') {
            out += "\\n";
        } else if (byte < 0x20) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 0xFU];
        } else {
            out += static_cast<char>(byte);
        }
    }
    out += '"';
}

} // namespace wxcourier::simulator
