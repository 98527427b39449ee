// SPDX-License-Identifier: Apache-2.0
#include "dashboard/masking.hpp"

#include "codec/utf8.hpp"

#include <algorithm>

namespace wxcourier::dashboard {
namespace {

constexpr std::size_t shown_before = 4;
constexpr std::size_t shown_behind = 3;
/// Of a text of 12 characters no more than 7 are shown.
constexpr std::size_t shortest_shown = 12;
constexpr std::size_t longest_text = 160;

} // namespace

std::string masked(std::string_view openid)
{
    const bool plain = std::all_of(openid.begin(), openid.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (openid.empty())
        return {};
    if (!plain || openid.size() < shortest_shown)
        return "…";
    return std::string(openid.substr(0, shown_before)) + "…" + std::string(openid.substr(openid.size() - shown_behind));
}

std::string without_openid(std::string_view text, std::string_view openid)
{
    std::string result;
    while (!openid.empty()) {
        const auto found = text.find(openid);
        if (found == std::string_view::npos)
            break;
        result.append(text.substr(0, found)).append(masked(openid));
        text.remove_prefix(found + openid.size());
    }
    result.append(text);
    std::string clean;
    codec::append_utf8(clean, result, longest_text);
    return clean;
}

} // namespace wxcourier::dashboard
