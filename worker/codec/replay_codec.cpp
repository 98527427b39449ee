// SPDX-License-Identifier: Apache-2.0
#include "codec/replay_codec.hpp"

#include "codec/index_ranges.hpp"
#include "codec/json_document.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <charconv>

namespace wxcourier::codec {
namespace {

constexpr int block_version = 1;
/// Every second offset of a block, with 19 digits each, and some room.
constexpr std::size_t longest_block = 64 * 1024;
/// More than anybody replays a job; a header that says more is not ours.
constexpr int most_replays = 1'000'000;

std::optional<std::string_view> last_of(std::span<const header_view> headers, std::string_view name)
{
    const auto found =
        std::find_if(headers.rbegin(), headers.rend(), [name](const header_view& each) { return each.first == name; });
    return found == headers.rend() ? std::nullopt : std::optional(found->second);
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text)
{
    Number value{};
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end && value >= Number{} ? std::optional(value) : std::nullopt;
}

std::optional<domain::source_position> read_source(std::string_view text)
{
    const auto second = text.rfind('/');
    const auto first = second == std::string_view::npos || second == 0 ? second : text.rfind('/', second - 1);
    if (first == std::string_view::npos || first == 0 || first == second)
        return std::nullopt;
    const auto partition = whole_number<std::int32_t>(text.substr(first + 1, second - first - 1));
    const auto offset = whole_number<std::int64_t>(text.substr(second + 1));
    if (!partition || !offset)
        return std::nullopt;
    return domain::source_position{std::string(text.substr(0, first)), *partition, *offset};
}

std::optional<int> read_replays(std::span<const header_view> headers)
{
    const auto text = last_of(headers, replay_header);
    if (!text)
        return 0;
    const auto count = whole_number<int>(*text);
    return count && *count <= most_replays ? count : std::nullopt;
}

} // namespace

std::optional<dead_letter> read_dead_letter(std::span<const header_view> headers)
{
    const auto state = last_of(headers, "wxcourier.state");
    const auto reason = last_of(headers, "wxcourier.reason");
    const auto source = read_source(last_of(headers, "wxcourier.source").value_or(""));
    const auto at = parse_rfc3339(last_of(headers, "wxcourier.at").value_or(""));
    if (!state || !reason || !source || !at || (state != "failed" && state != "rejected"))
        return std::nullopt;
    dead_letter letter;
    letter.state = state == "failed" ? domain::job_state::failed : domain::job_state::rejected;
    letter.reason = *reason;
    letter.source = *source;
    letter.at = *at;
    if (const auto recipients = last_of(headers, recipients_header))
        letter.recipients = *recipients;
    if (const auto bytes = last_of(headers, "wxcourier.truncated"))
        letter.truncated = whole_number<std::size_t>(*bytes);
    letter.unknown_outcome = last_of(headers, "wxcourier.unknown").has_value();
    letter.replays = read_replays(headers).value_or(0); // a producer's own header of that name
    return letter;
}

replay_note read_replay_note(std::span<const header_view> headers)
{
    replay_note note;
    const auto replays = read_replays(headers);
    if (!replays || *replays == 0)
        return note; // whoever else writes such a header: it is the producer's
    note.replays = *replays;
    if (const auto recipients = last_of(headers, recipients_header)) {
        note.recipients = decode_index_ranges(*recipients);
        note.malformed = !note.recipients;
    }
    return note;
}

std::string encode_block_name(const domain::replay_block_name& name)
{
    return std::to_string(name.partition) + '/' + std::to_string(name.number);
}

std::string encode_block(const domain::replay_block& block)
{
    return R"({"version":)" + std::to_string(block_version) + R"(,"offsets":")" +
           encode_index_ranges(block.offsets.ranges()) + R"(","last_at":")" + format_rfc3339(block.last_at) + "\"}";
}

std::optional<domain::replay_block_name> decode_block_name(std::string_view key)
{
    const auto slash = key.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    const auto partition = whole_number<std::int32_t>(key.substr(0, slash));
    const auto number = whole_number<std::int64_t>(key.substr(slash + 1));
    return partition && number ? std::optional(domain::replay_block_name{*partition, *number}) : std::nullopt;
}

std::optional<domain::replay_block> decode_block(std::string_view value)
{
    json_document document;
    if (document.parse(value, longest_block) || !document.root().is(json_type::object))
        return std::nullopt;
    const auto root = document.root();
    const auto version = root.find("version");
    const auto offsets = root.find("offsets");
    const auto last_at = root.find("last_at");
    if (!version.is(json_type::number) || version.integer() != block_version || !offsets.is(json_type::string) ||
        !last_at.is(json_type::string))
        return std::nullopt;
    auto ranges = decode_index_ranges(offsets.text());
    const auto at = parse_rfc3339(last_at.text());
    if (!ranges || !at)
        return std::nullopt;
    return domain::replay_block{domain::index_set(std::move(*ranges)), *at};
}

} // namespace wxcourier::codec
