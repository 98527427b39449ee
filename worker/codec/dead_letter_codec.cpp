// SPDX-License-Identifier: Apache-2.0
#include "codec/dead_letter_codec.hpp"

#include "codec/index_ranges.hpp"
#include "codec/utf8.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <array>

namespace wxcourier::codec {
namespace {

constexpr std::size_t longest_error = 256;

} // namespace

std::vector<std::pair<std::string, std::string>> dead_letter_headers(const dead_letter_note& note)
{
    std::string error;
    append_utf8(error, note.error, longest_error);
    std::vector<std::pair<std::string, std::string>> headers;
    headers.reserve(6);
    headers.emplace_back("wxcourier.state", to_string(note.state));
    headers.emplace_back("wxcourier.reason", note.reason);
    headers.emplace_back("wxcourier.error", std::move(error));
    headers.emplace_back("wxcourier.source", to_string(note.source));
    headers.emplace_back("wxcourier.at", format_rfc3339(note.at));
    if (!note.failed_recipients.empty())
        headers.emplace_back("wxcourier.recipients", encode_index_ranges(note.failed_recipients));
    if (!note.unknown_recipients.empty())
        headers.emplace_back("wxcourier.unknown", encode_index_ranges(note.unknown_recipients));
    return headers;
}

bool gives_way_in_dead_letter(std::string_view name) noexcept
{
    constexpr std::array<std::string_view, 8> own{"wxcourier.state",   "wxcourier.reason",   "wxcourier.error",
                                                  "wxcourier.source",  "wxcourier.at",       "wxcourier.recipients",
                                                  "wxcourier.unknown", "wxcourier.truncated"};
    return std::find(own.begin(), own.end(), name) != own.end();
}

} // namespace wxcourier::codec
