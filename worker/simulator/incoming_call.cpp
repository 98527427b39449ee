// SPDX-License-Identifier: Apache-2.0
#include "simulator/incoming_call.hpp"

#include <charconv>

namespace wxcourier::simulator {

namespace {

std::string percent_decoded(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned char byte = 0;
        const char* const digits = text.data() + at + 1;
        if (text[at] == '%' && at + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2)
        {
            plain += static_cast<char>(byte);
            at += 2;
        } else {
            plain += text[at] == '+' ? ' ' : text[at];
        }
    }
    return plain;
}

} // namespace

std::string_view http_request::path() const noexcept
{
    return std::string_view(target).substr(0, target.find('?'));
}

std::string_view http_request::query() const noexcept
{
    const auto mark = target.find('?');
    return mark == std::string::npos ? std::string_view{} : std::string_view(target).substr(mark + 1);
}

std::string query_value(std::string_view query, std::string_view name)
{
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        const auto equals = pair.find('=');
        if (pair.substr(0, equals) == name && equals != std::string_view::npos) {
            return percent_decoded(pair.substr(equals + 1));
        }
        query.remove_prefix(pair.size() == query.size() ? query.size() : pair.size() + 1);
    }
    return {};
}

bool incoming_call::needs_token() const noexcept
{
    return row != nullptr && row->what != operation::classic_token && row->what != operation::stable_token &&
           row->what != operation::clear_quota_by_secret;
}

} // namespace wxcourier::simulator
