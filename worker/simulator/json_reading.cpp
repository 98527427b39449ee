// SPDX-License-Identifier: Apache-2.0
#include "simulator/json_reading.hpp"

namespace wxcourier::simulator {

json_value parse_json(codec::json_document& document, std::string_view text)
{
    return document.parse(text, longest_json) ? json_value{} : document.root();
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

json_value member(json_value object, std::string_view name) noexcept
{
    const json_value found = object.is(json_type::object) ? object.find(name) : json_value{};
    return found.is(json_type::null) ? json_value{} : found;
}

std::optional<std::string_view> text_of(json_value value) noexcept
{
    return value.is(json_type::string) ? std::optional(value.text()) : std::nullopt;
}

std::string_view text_member(json_value object, std::string_view name) noexcept
{
    return text_of(member(object, name)).value_or(std::string_view{});
}

std::string_view shown_text(json_value value) noexcept
{
    if (value.is(json_type::boolean)) {
        return value.boolean() ? "true" : "false";
    }
    return value.is(json_type::string) || value.is(json_type::number) ? value.text() : std::string_view{};
}

} // namespace wxcourier::simulator
