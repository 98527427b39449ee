// SPDX-License-Identifier: Apache-2.0
#include "codec/index_ranges.hpp"

#include <charconv>

namespace wxcourier::codec {
namespace {

std::optional<std::int64_t> decode_index(std::string_view text)
{
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stopped != end || value < 0)
        return std::nullopt;
    return value;
}

} // namespace

std::string encode_index_ranges(const std::vector<domain::index_range>& ranges)
{
    std::string text;
    for (const auto& range : ranges) {
        if (!text.empty())
            text += ',';
        text += std::to_string(range.first);
        if (range.last != range.first)
            text += '-' + std::to_string(range.last);
    }
    return text;
}

std::optional<std::vector<domain::index_range>> decode_index_ranges(std::string_view text)
{
    std::vector<domain::index_range> ranges;
    while (!text.empty()) {
        const auto one = text.substr(0, text.find(','));
        text.remove_prefix(one.size());
        const bool more = !text.empty();
        if (more)
            text.remove_prefix(1);
        const auto dash = one.find('-');
        const auto first = decode_index(one.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : decode_index(one.substr(dash + 1));
        if (!first || !last || *last < *first || (more && text.empty()))
            return std::nullopt;
        if (!ranges.empty() && *first <= ranges.back().last + 1)
            return std::nullopt;
        ranges.push_back({*first, *last});
    }
    return ranges;
}

} // namespace wxcourier::codec
