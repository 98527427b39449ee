// SPDX-License-Identifier: Apache-2.0
#include "config/finding.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace wxcourier::config {

namespace {

constexpr std::size_t longest_shown = 60;
constexpr std::size_t longest_compared = 64;

bool is_continuation_byte(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Lower case without separators: `requestTimeout` and `request-timeout` are near `request_timeout`.
std::string folded(std::string_view word)
{
    std::string out;
    for (const char each : word) {
        if (each == '_' || each == '-' || each == '.' || each == ' ')
            continue;
        out += (each >= 'A' && each <= 'Z') ? static_cast<char>(each - 'A' + 'a') : each;
    }
    return out;
}

/// Letters to add, drop, replace or swap with the next, at least, to make one of the other.
std::size_t edit_distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::vector<std::size_t> row(right.size() + 1, i);
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const bool same = left[i - 1] == right[j - 1];
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last = std::exchange(last, std::move(row));
    }
    return last.back();
}

} // namespace

std::string to_string(const finding& found, std::string_view file)
{
    std::string out{file};
    out += ':' + std::to_string(found.line) + ':' + std::to_string(found.column) + ": " + found.what;
    return out;
}

void findings::sort()
{
    for (auto* list : {&errors, &warnings})
        std::stable_sort(list->begin(), list->end(), [](const finding& left, const finding& right) {
            return std::tie(left.line, left.column) < std::tie(right.line, right.column);
        });
}

std::string in_quotes(std::string_view text)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    std::string out = "\"";
    std::size_t shown = 0;
    for (const char each : text) {
        if (!is_continuation_byte(each) && shown++ == longest_shown) {
            out += "…";
            break;
        }
        const auto byte = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\')
            out += {'\\', each};
        else if (byte < 0x20 || byte == 0x7F)
            out += {'\\', 'x', hex[byte >> 4U], hex[byte & 0xFU]};
        else
            out += each;
    }
    return out + '"';
}

std::string alternatives(const std::vector<std::string_view>& choices)
{
    std::string out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0)
            out += i + 1 == choices.size() ? " or " : ", ";
        out += choices[i];
    }
    return out;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates)
{
    if (word.size() > longest_compared)
        return {};
    const auto wanted = folded(word);
    std::string_view best;
    // A third of the letters may differ, three at most: beyond that a suggestion is a guess.
    std::size_t limit = std::min<std::size_t>(wanted.size() / 3, 3) + 1;
    for (const auto candidate : candidates) {
        const auto distance = edit_distance(wanted, folded(candidate));
        if (distance < limit) {
            best = candidate;
            limit = distance;
        }
    }
    return best;
}

} // namespace wxcourier::config
