// SPDX-License-Identifier: Apache-2.0
#include "engine/replayed_job.hpp"

#include "codec/replay_codec.hpp"

#include <algorithm>
#include <vector>

namespace wxcourier::engine {

bool take_replay_note(job_in_progress& job)
{
    const auto& headers = job.record.headers;
    const bool replayed = std::any_of(headers.begin(), headers.end(),
                                      [](const header& each) { return each.name == codec::replay_header; });
    if (!replayed)
        return true;
    std::vector<codec::header_view> views;
    views.reserve(headers.size());
    for (const auto& each : headers)
        views.emplace_back(each.name, each.value ? std::string_view(*each.value) : std::string_view{});
    const auto note = codec::read_replay_note(views);
    if (note.malformed)
        return false;
    if (!note.recipients || !job.messages.fanned_out())
        return true;
    std::vector<domain::index_range> others;
    std::int64_t next = 0;
    const auto end = static_cast<std::int64_t>(job.messages.size());
    for (const auto& range : *note.recipients) {
        if (range.first > next)
            others.push_back({next, std::min(range.first, end) - 1});
        next = range.last + 1;
        if (next >= end)
            break;
    }
    if (next < end)
        others.push_back({next, end - 1});
    job.finished = domain::index_set(std::move(others));
    return true;
}

} // namespace wxcourier::engine
