// SPDX-License-Identifier: Apache-2.0
// Whoever may commit for the group may write any metadata.
#include "codec/offset_metadata_codec.hpp"

#include <cstdlib>
#include <cstring>

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void require_ascending(const std::vector<wxcourier::domain::index_range>& ranges, std::int64_t from)
{
    bool first = true;
    for (const auto& range : ranges) {
        require(range.first >= from && range.last >= range.first);
        require(first || range.first > from); // a range right behind the last one would be one with it
        from = range.last + (range.last == INT64_MAX ? 0 : 1);
        first = false;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::int64_t committed = 0;
    if (size < sizeof committed)
        return 0;
    std::memcpy(&committed, data, sizeof committed);
    const std::string_view text{reinterpret_cast<const char*>(data) + sizeof committed, size - sizeof committed};

    const auto progress = wxcourier::codec::decode_offset_metadata(committed, text);
    if (!progress || text.empty())
        return 0;
    require_ascending(progress->finished, committed);
    if (progress->partial) {
        require(progress->partial->offset >= committed);
        require_ascending(progress->partial->finished, 0);
        require_ascending(progress->partial->failed, 0);
    }
    const auto again = wxcourier::codec::encode_offset_metadata(committed, *progress);
    require(wxcourier::codec::decode_offset_metadata(committed, again) == progress);
    return 0;
}
