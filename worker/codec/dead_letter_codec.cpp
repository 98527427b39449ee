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

/// An object with a list of the attempts that are kept.
std::string encode_attempts(const domain::attempt_log& log, std::optional<std::size_t> recipient)
{
    const auto left_out = static_cast<std::size_t>(log.attempts()) - log.size();
    std::string json = R"({"attempts":)" + std::to_string(log.attempts());
    if (left_out > 0)
        json += R"(,"left_out":)" + std::to_string(left_out);
    if (recipient)
        json += R"(,"recipient":)" + std::to_string(*recipient);
    json += R"(,"log":[)";
    for (std::size_t i = 0; i < log.size(); ++i) {
        const auto& each = log[i];
        json += (i == 0 ? R"({"at":")" : R"(,{"at":")") + format_rfc3339(each.began) + R"(","latency_ms":)" +
                std::to_string(each.latency.count());
        if (each.errcode)
            json += R"(,"errcode":)" + std::to_string(*each.errcode);
        else if (each.http_status != 0)
            json += R"(,"http_status":)" + std::to_string(each.http_status);
        if (each.failure != domain::transport_failure::none)
            json += R"(,"failure":")" + std::string(to_string(each.failure)) + '"';
        json += '}';
    }
    return json + "]}";
}

} // namespace

std::vector<std::pair<std::string, std::string>> dead_letter_headers(const dead_letter_note& note)
{
    std::string error;
    append_utf8(error, note.error, longest_error);
    std::vector<std::pair<std::string, std::string>> headers;
    headers.reserve(7);
    headers.emplace_back("wxcourier.state", to_string(note.state));
    headers.emplace_back("wxcourier.reason", note.reason);
    headers.emplace_back("wxcourier.error", std::move(error));
    headers.emplace_back("wxcourier.source", to_string(note.source));
    headers.emplace_back("wxcourier.at", format_rfc3339(note.at));
    if (!note.failed_recipients.empty())
        headers.emplace_back("wxcourier.recipients", encode_index_ranges(note.failed_recipients));
    if (!note.unknown_recipients.empty())
        headers.emplace_back("wxcourier.unknown", encode_index_ranges(note.unknown_recipients));
    if (note.attempts != nullptr)
        headers.emplace_back("wxcourier.attempts_log", encode_attempts(*note.attempts, note.attempts_at));
    return headers;
}

bool gives_way_in_dead_letter(std::string_view name) noexcept
{
    constexpr std::array<std::string_view, 9> own{"wxcourier.state",   "wxcourier.reason",       "wxcourier.error",
                                                  "wxcourier.source",  "wxcourier.at",           "wxcourier.recipients",
                                                  "wxcourier.unknown", "wxcourier.attempts_log", "wxcourier.truncated"};
    return std::find(own.begin(), own.end(), name) != own.end();
}

} // namespace wxcourier::codec
