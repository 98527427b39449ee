// SPDX-License-Identifier: Apache-2.0
// The text is `w1` and its sections, each a dot, a letter for what it lists, a letter for how, and base64url (without
// padding) of its bytes:
//
//   o  finished offsets, relative to the committed one
//   p  a job under way: its offset, relative to the committed one, then its finished recipients
//   f  those of its recipients that failed
//   w  why most of them failed
//   m  offsets that were about to move to a delayed topic, relative to the committed one
//
// Sections `f` and `w` speak of the last `p` before them. A section of another letter, as a later release may write, is
// passed over.
//
//   r  as ranges: for each one the gap before it and its length, each less by what it must be at least, so that no
//      bytes can say ranges that overlap, touch or run backwards
//   b  as a bitmap: the first value, then one bit for each value from there on, lowest bit first
//   t  as a word of the status topic
//
// Numbers are varints: 7 bits a byte, the lowest first.
#include "codec/offset_metadata_codec.hpp"

#include "codec/job_codec.hpp"
#include "domain/reasons.hpp"

#include <array>
#include <limits>

namespace wxcourier::codec {
namespace {

using domain::commit_progress;
using domain::index_range;
using domain::partial_job;
using ranges = std::vector<index_range>;

constexpr std::string_view version = "w1";
/// More jobs with recipients than ever were under way in one partition.
constexpr std::size_t most_partials = 1024;
constexpr auto last_offset = std::numeric_limits<std::int64_t>::max();

// ---------------------------------------------------------------------------------------------------------- base64url

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 0xFF;

constexpr std::array<std::uint8_t, 256> digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t digit = 0; digit < alphabet.size(); ++digit)
        values.at(static_cast<unsigned char>(alphabet[digit])) = static_cast<std::uint8_t>(digit);
    return values;
}();

void append_base64(std::string& out, std::string_view bytes)
{
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char byte : bytes) {
        pending = (pending << 8U) | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6)
            out += alphabet[(pending >> (bits - 6)) & 0x3FU];
    }
    if (bits > 0)
        out += alphabet[(pending << (6 - bits)) & 0x3FU];
}

std::optional<std::string> read_base64(std::string_view text)
{
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char digit : text) {
        const auto value = digit_values[static_cast<unsigned char>(digit)];
        if (value == no_digit)
            return std::nullopt;
        pending = (pending << 6U) | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>((pending >> bits) & 0xFFU);
        }
    }
    const bool cut_short = bits == 6;
    const bool padded_with_zeros = (pending & ((1U << bits) - 1)) == 0;
    if (cut_short || !padded_with_zeros)
        return std::nullopt;
    return bytes;
}

// ------------------------------------------------------------------------------------------------------------ varints

void append_varint(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7U)
        out += static_cast<char>(value | 0x80U);
    out += static_cast<char>(value);
}

/// Takes one off the front. Empty: the bytes end inside it, or it is beyond an offset's 63 bits.
std::optional<std::int64_t> take_varint(std::string_view& bytes)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if ((byte & 0x80U) == 0)
            return static_cast<std::int64_t>(value);
    }
    return std::nullopt;
}

/// `base + step`. Empty: no such offset.
std::optional<std::int64_t> advance(std::int64_t base, std::int64_t step) noexcept
{
    if (step > last_offset - base)
        return std::nullopt;
    return base + step;
}

// ---------------------------------------------------------------------------------------------- the two encodings of
// ranges

/// Least distance from the end of one range to the start of the next: at 1 they would be one range.
constexpr std::int64_t least_gap = 2;

std::string encode_ranges(std::int64_t base, const ranges& list)
{
    std::string bytes;
    for (const auto& range : list) {
        append_varint(bytes, static_cast<std::uint64_t>(range.first - base));
        append_varint(bytes, static_cast<std::uint64_t>(range.last - range.first));
        base = advance(range.last, least_gap).value_or(last_offset); // nothing follows the last offset there is
    }
    return bytes;
}

std::optional<ranges> decode_ranges(std::int64_t base, std::string_view bytes)
{
    ranges list;
    while (!bytes.empty()) {
        const auto gap = take_varint(bytes);
        const auto length = gap ? take_varint(bytes) : std::nullopt;
        if (!length)
            return std::nullopt;
        const auto start = list.empty() ? std::optional{base} : advance(list.back().last, least_gap);
        const auto first = start ? advance(*start, *gap) : std::nullopt;
        const auto last = first ? advance(*first, *length) : std::nullopt;
        if (!last)
            return std::nullopt;
        list.push_back({*first, *last});
    }
    return list;
}

/// Bytes of the bits alone.
std::uint64_t bitmap_size(const ranges& list) noexcept
{
    return static_cast<std::uint64_t>(list.back().last - list.front().first) / 8 + 1;
}

std::string encode_bitmap(std::int64_t base, const ranges& list)
{
    std::string bits(bitmap_size(list), '\0');
    const auto start = list.front().first;
    for (const auto& range : list) {
        const auto last = static_cast<std::uint64_t>(range.last - start);
        for (auto bit = static_cast<std::uint64_t>(range.first - start); bit <= last; ++bit)
            bits[bit / 8] = static_cast<char>(static_cast<unsigned char>(bits[bit / 8]) | (1U << (bit % 8)));
    }
    std::string bytes;
    append_varint(bytes, static_cast<std::uint64_t>(start - base));
    return bytes + bits;
}

std::optional<ranges> decode_bitmap(std::int64_t base, std::string_view bytes)
{
    const auto start = take_varint(bytes);
    const auto first = start ? advance(base, *start) : std::nullopt;
    if (!first)
        return std::nullopt;
    ranges list;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        if ((static_cast<unsigned char>(bytes[bit / 8]) >> (bit % 8) & 1U) == 0)
            continue;
        const auto value = advance(*first, static_cast<std::int64_t>(bit));
        if (!value)
            return std::nullopt;
        if (!list.empty() && list.back().last + 1 == *value)
            list.back().last = *value;
        else
            list.push_back({*value, *value});
    }
    return list;
}

// ----------------------------------------------------------------------------------------------------------- sections

enum class subject : char { offsets = 'o', partial = 'p', failed = 'f', why = 'w', moving = 'm' };
constexpr char as_ranges = 'r';
constexpr char as_bitmap = 'b';
constexpr char as_word = 't';

/// Appends `list` by the encoding that is shorter, behind `head`.
void append_section(std::string& text, subject what, const std::string& head, std::int64_t base, const ranges& list)
{
    auto bytes = encode_ranges(base, list);
    char how = as_ranges;
    if (!list.empty() && bitmap_size(list) < bytes.size()) {
        if (auto bitmap = encode_bitmap(base, list); bitmap.size() < bytes.size()) {
            bytes = std::move(bitmap);
            how = as_bitmap;
        }
    }
    text += '.';
    text += static_cast<char>(what);
    text += how;
    append_base64(text, head + bytes);
}

void append_word(std::string& text, subject what, std::string_view word)
{
    text += '.';
    text += static_cast<char>(what);
    text += as_word;
    append_base64(text, word);
}

std::optional<ranges> decode_list(char how, std::int64_t base, std::string_view bytes)
{
    if (how == as_ranges)
        return decode_ranges(base, bytes);
    return how == as_bitmap ? decode_bitmap(base, bytes) : std::nullopt;
}

/// Indices of recipients: none lies beyond what a job may have.
std::optional<ranges> decode_recipients(char how, std::string_view bytes)
{
    auto list = decode_list(how, 0, bytes);
    if (list && !list->empty() && list->back().last >= static_cast<std::int64_t>(most_recipients))
        return std::nullopt;
    return list;
}

bool read_offsets(std::int64_t committed, char how, std::string_view bytes, commit_progress& progress)
{
    auto list = decode_list(how, committed, bytes);
    if (!list || !progress.finished.empty())
        return false;
    progress.finished = std::move(*list);
    return true;
}

/// The job that was named last; null without one.
partial_job* last_partial(commit_progress& progress)
{
    if (!progress.further.empty())
        return &progress.further.back();
    return progress.partial ? &*progress.partial : nullptr;
}

bool read_partial(std::int64_t committed, char how, std::string_view bytes, commit_progress& progress)
{
    const auto distance = take_varint(bytes);
    const auto offset = distance ? advance(committed, *distance) : std::nullopt;
    auto list = offset ? decode_recipients(how, bytes) : std::nullopt;
    const auto* const before = last_partial(progress);
    if (!list || (before != nullptr && *offset <= before->offset) || progress.further.size() >= most_partials)
        return false;
    partial_job job{.offset = *offset, .finished = std::move(*list)};
    if (progress.partial)
        progress.further.push_back(std::move(job));
    else
        progress.partial = std::move(job);
    return true;
}

/// Whether each range of `inner` lies in one of `outer`; both ascend.
bool covers(const ranges& outer, const ranges& inner)
{
    auto candidate = outer.begin();
    for (const auto& range : inner) {
        while (candidate != outer.end() && candidate->last < range.last)
            ++candidate;
        if (candidate == outer.end() || candidate->first > range.first)
            return false;
    }
    return true;
}

bool read_failed(char how, std::string_view bytes, commit_progress& progress)
{
    auto list = decode_recipients(how, bytes);
    auto* const job = last_partial(progress);
    if (!list || job == nullptr || !job->failed.empty() || !covers(job->finished, *list))
        return false;
    job->failed = std::move(*list);
    return true;
}

bool read_why(char how, std::string_view word, commit_progress& progress)
{
    auto* const job = last_partial(progress);
    if (how != as_word || job == nullptr || job->failed.empty() || !job->failed_for.empty())
        return false;
    job->failed_for = domain::known_reason(word); // another release's word stays unknown
    return true;
}

bool read_moving(std::int64_t committed, char how, std::string_view bytes, commit_progress& progress)
{
    auto list = decode_list(how, committed, bytes);
    if (!list || !progress.moving.empty())
        return false;
    progress.moving = std::move(*list);
    return true;
}

/// Reads one section into `progress`. False: it is none, or one of its sort has been read.
bool read_section(std::int64_t committed, std::string_view section, commit_progress& progress)
{
    if (section.size() < 2)
        return false;
    const char how = section[1];
    const auto bytes = read_base64(section.substr(2));
    if (!bytes)
        return false;
    switch (subject{section[0]}) {
    case subject::offsets:
        return read_offsets(committed, how, *bytes, progress);
    case subject::partial:
        return read_partial(committed, how, *bytes, progress);
    case subject::failed:
        return read_failed(how, *bytes, progress);
    case subject::why:
        return read_why(how, *bytes, progress);
    case subject::moving:
        return read_moving(committed, how, *bytes, progress);
    }
    return true;
}

void append_partial(std::string& text, std::int64_t committed, const partial_job& job)
{
    std::string head;
    append_varint(head, static_cast<std::uint64_t>(job.offset - committed));
    append_section(text, subject::partial, head, 0, job.finished);
    if (!job.failed.empty())
        append_section(text, subject::failed, {}, 0, job.failed);
    if (!job.failed.empty() && !job.failed_for.empty())
        append_word(text, subject::why, job.failed_for);
}

} // namespace

std::string encode_offset_metadata(std::int64_t committed, const commit_progress& progress)
{
    std::string text;
    if (progress.finished.empty() && !progress.partial && progress.moving.empty())
        return text;
    text = version;
    if (!progress.finished.empty())
        append_section(text, subject::offsets, {}, committed, progress.finished);
    if (progress.partial)
        append_partial(text, committed, *progress.partial);
    for (const auto& each : progress.further)
        append_partial(text, committed, each);
    if (!progress.moving.empty())
        append_section(text, subject::moving, {}, committed, progress.moving);
    return text;
}

std::optional<commit_progress> decode_offset_metadata(std::int64_t committed, std::string_view text)
{
    commit_progress progress;
    if (text.empty())
        return progress;
    if (committed < 0 || !text.starts_with(version))
        return std::nullopt;
    text.remove_prefix(version.size());
    while (!text.empty()) {
        if (text.front() != '.')
            return std::nullopt;
        text.remove_prefix(1);
        const auto section = text.substr(0, text.find('.'));
        text.remove_prefix(section.size());
        if (!read_section(committed, section, progress))
            return std::nullopt;
    }
    return progress;
}

} // namespace wxcourier::codec
