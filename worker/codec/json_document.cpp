// SPDX-License-Identifier: Apache-2.0
#include "codec/json_document.hpp"

#include "codec/byte_blocks.hpp"
#include "codec/json_quick_reader.hpp"
#include "codec/rapidjson.hpp"
#include "codec/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

namespace wxcourier::codec {
namespace {

/// Zeros behind the text, so that a block may be loaded wherever a byte is left.
constexpr std::size_t padding = block_size;

/// UTF-8 for the reader, checked a run at a time and up to the zero behind the text: RapidJSON's own check goes byte by
/// byte, and reads on behind a sequence that the end cuts short.
struct checked_utf8 : rapidjson::UTF8<> {
    using stream = rapidjson::GenericInsituStringStream<checked_utf8>;
    using UTF8::Validate; // Instantiated for parsing that is not in situ, never called.

    static bool Validate(stream& input, stream& output)
    {
        const char* const from = input.src_;
        const char* to = from;
        bool well_formed = true;
        while (well_formed) {
            std::uint64_t marks = 0;
            while ((marks = mark_specials(load_block(to)) | mark_non_ascii(load_block(to))) == 0)
                to += sizeof marks;
            to += first_marked(marks);
            if (static_cast<unsigned char>(*to) < 0x80)
                break;
            const auto length = utf8_sequence({to, 4}); // The padding ends a sequence that the text cuts short.
            well_formed = length != 0;
            to += length;
        }
        const auto length = static_cast<std::size_t>(to - from);
        if (output.dst_ != from)
            std::memmove(output.dst_, from, length);
        output.dst_ += length;
        input.src_ += length;
        return well_formed;
    }
};

using text_reader = rapidjson::GenericReader<checked_utf8, checked_utf8>;

constexpr unsigned parse_flags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

std::string_view describe(rapidjson::ParseErrorCode error) noexcept
{
    switch (error) {
    case rapidjson::kParseErrorDocumentEmpty:
        return "no JSON value";
    case rapidjson::kParseErrorDocumentRootNotSingular:
        return "something behind the JSON value";
    case rapidjson::kParseErrorObjectMissName:
        return "expected a member's name";
    case rapidjson::kParseErrorObjectMissColon:
        return "expected a colon behind the member's name";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
        return "expected a comma or } behind the member";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
        return "expected a comma or ] behind the element";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
        return "expected four hex digits behind \\u";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
        return "half of a surrogate pair";
    case rapidjson::kParseErrorStringEscapeInvalid:
        return "a bad escape or a bare control character in a string";
    case rapidjson::kParseErrorStringMissQuotationMark:
        return "a string that does not end";
    case rapidjson::kParseErrorStringInvalidEncoding:
        return "not UTF-8";
    case rapidjson::kParseErrorNumberTooBig:
        return "a number beyond a double's range";
    case rapidjson::kParseErrorNumberMissFraction:
        return "expected a digit behind the point";
    case rapidjson::kParseErrorNumberMissExponent:
        return "expected a digit in the exponent";
    case rapidjson::kParseErrorTermination:
        return "nested deeper than 64";
    default:
        return "no JSON value";
    }
}

std::string at_byte(std::size_t offset, std::string_view what)
{
    return "byte " + std::to_string(offset) + ": " + std::string{what};
}

/// Where the UTF-8 of `text` breaks; the reader only knows the run that it is in.
std::size_t find_malformed(std::string_view text, std::size_t from)
{
    while (from < text.size()) {
        const auto length = utf8_sequence(text.substr(from));
        if (length == 0)
            break;
        from += length;
    }
    return from;
}

/// Half of a surrogate pair as RapidJSON writes it when an escape names one: ED A0..BF xx, which is no UTF-8.
constexpr char surrogate_lead = '\xED';

bool is_surrogate(std::string_view text, std::size_t at) noexcept
{
    return text[at] == surrogate_lead && at + 2 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0;
}

/// The reader's stack stays allocated from one text to the next.
text_reader& reader()
{
    thread_local text_reader kept;
    return kept;
}

} // namespace

std::string_view describe(json_type type) noexcept
{
    static constexpr std::array<std::string_view, 6> names{"null",     "a boolean", "a number",
                                                           "a string", "an array",  "an object"};
    return names.at(static_cast<std::size_t>(type));
}

/// Takes RapidJSON's events and lays the nodes.
class json_document::builder {
public:
    using Ch = char;

    builder(json_document& document, checked_utf8::stream& input)
        : document_(document), input_(input), base_(document.buffer_.data())
    {
    }

    bool Null() { return add(json_type::null, 0, 0); }
    bool Bool(bool value) { return add(json_type::boolean, 0, value ? 1 : 0); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool)
    {
        return add(json_type::number, offset_of(text), length);
    }
    bool String(const char* text, rapidjson::SizeType length, bool)
    {
        return add(json_type::string, offset_of(text), length);
    }
    bool Key(const char* text, rapidjson::SizeType length, bool)
    {
        key_offset_ = offset_of(text);
        key_length_ = length;
        return true;
    }
    // The reader tells of a bracket before it takes it.
    bool StartObject() { return open(json_type::object, static_cast<std::uint32_t>(input_.Tell())); }
    bool StartArray() { return open(json_type::array, 0); }
    bool EndObject(rapidjson::SizeType members)
    {
        const auto object = close(members);
        document_.nodes_[object].text_end = static_cast<std::uint32_t>(input_.Tell()) + 1;
        if (const auto second = document_.index_members(object); second != 0 && duplicate_ == 0)
            duplicate_ = second;
        return true;
    }
    bool EndArray(rapidjson::SizeType elements)
    {
        close(elements);
        return true;
    }
    // The reader hands numbers on as text.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    /// Makes a tree of what was read before the depth became too great.
    void close_all()
    {
        while (depth_ > 0) {
            const auto container = open_[depth_ - 1];
            std::uint32_t children = 0;
            for (auto child = container + 1; child < document_.nodes_.size(); child = document_.nodes_[child].end)
                ++children;
            close(children);
            if (document_.nodes_[container].type == json_type::object)
                document_.index_members(container);
        }
    }
    /// The second of two members with one name; 0: none.
    [[nodiscard]] std::uint32_t duplicate() const noexcept { return duplicate_; }

private:
    [[nodiscard]] std::uint32_t offset_of(const char* text) const noexcept
    {
        return static_cast<std::uint32_t>(text - base_);
    }

    bool add(json_type type, std::uint32_t offset, std::uint32_t length)
    {
        const auto index = static_cast<std::uint32_t>(document_.nodes_.size());
        document_.nodes_.push_back({key_offset_, key_length_, offset, 0, length, index + 1, type});
        key_length_ = 0;
        return true;
    }

    bool open(json_type type, std::uint32_t offset)
    {
        if (depth_ == open_.size())
            return false;
        open_[depth_++] = static_cast<std::uint32_t>(document_.nodes_.size());
        return add(type, offset, 0);
    }

    std::uint32_t close(std::uint32_t children)
    {
        const auto container = open_[--depth_];
        document_.nodes_[container].text_length = children;
        document_.nodes_[container].end = static_cast<std::uint32_t>(document_.nodes_.size());
        return container;
    }

    json_document& document_;
    checked_utf8::stream& input_;
    const char* base_;
    std::array<std::uint32_t, deepest> open_{};
    std::size_t depth_ = 0;
    std::uint32_t key_offset_ = 0;
    std::uint32_t key_length_ = 0;
    std::uint32_t duplicate_ = 0;
};

std::optional<std::string> json_document::parse(std::string_view text, std::size_t longest)
{
    nodes_.clear();
    sorted_members_.clear();
    if (text.size() > std::min<std::size_t>(longest, std::numeric_limits<std::uint32_t>::max() - padding))
        return std::to_string(text.size()) + " bytes, expected at most " + std::to_string(longest);
    if (const auto nul = text.find('\0'); nul != std::string_view::npos)
        return at_byte(nul, "a NUL byte");
    if (text.starts_with("\xEF\xBB\xBF"))
        return at_byte(0, "a byte order mark, expected the JSON value");
    buffer_.assign(text).append(padding, '\0');
    if (quick_reader{*this, text.size()}.read())
        return std::nullopt;
    nodes_.clear();
    sorted_members_.clear();

    checked_utf8::stream stream{buffer_.data()};
    builder handler{*this, stream};
    const auto result = reader().Parse<parse_flags>(stream, handler);
    if (result.IsError()) {
        if (result.Code() == rapidjson::kParseErrorTermination)
            handler.close_all();
        else
            nodes_.clear();
        const bool encoding = result.Code() == rapidjson::kParseErrorStringInvalidEncoding;
        return at_byte(encoding ? find_malformed(text, result.Offset()) : result.Offset(), describe(result.Code()));
    }
    if (const auto second = handler.duplicate(); second != 0)
        return json_value{*this, second}.pointer() + ": duplicate key";
    // The reader takes a lone low half from an escape; raw ones it refuses as bad UTF-8.
    if (text.find("\\u") != std::string_view::npos)
        return find_surrogate();
    return std::nullopt;
}

std::optional<std::string> json_document::find_surrogate() const
{
    const auto holds_one = [](std::string_view text) {
        auto at = text.find(surrogate_lead);
        while (at != std::string_view::npos && !is_surrogate(text, at))
            at = text.find(surrogate_lead, at + 1);
        return at != std::string_view::npos;
    };
    for (std::uint32_t index = 0; index < nodes_.size(); ++index) {
        const auto& node = nodes_[index];
        const bool is_string = node.type == json_type::string;
        if (holds_one(key_of(index)) || (is_string && holds_one({buffer_.data() + node.text_offset, node.text_length})))
            return json_value{*this, index}.pointer() + ": half of a surrogate pair";
    }
    return std::nullopt;
}

std::size_t json_document::footprint() const noexcept
{
    return buffer_.capacity() + nodes_.capacity() * sizeof(node) + sorted_members_.capacity() * sizeof(std::uint32_t);
}

void json_document::shrink()
{
    buffer_.shrink_to_fit();
    nodes_.shrink_to_fit();
    sorted_members_.shrink_to_fit();
}

bool json_document::key_before(std::uint32_t left, std::uint32_t right) const noexcept
{
    const auto a = key_of(left);
    const auto b = key_of(right);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// Readies a large object for `find`. Returns the second of two members with one name; 0: there are none.
std::uint32_t json_document::index_members(std::uint32_t object)
{
    const auto members = nodes_[object].text_length;
    const auto end = nodes_[object].end;
    if (members <= most_unsorted) {
        for (auto later = object + 1; later < end; later = nodes_[later].end) {
            for (auto earlier = object + 1; earlier < later; earlier = nodes_[earlier].end) {
                if (nodes_[earlier].key_length == nodes_[later].key_length && key_of(earlier) == key_of(later))
                    return later;
            }
        }
        return 0;
    }
    const auto start = sorted_members_.size();
    nodes_[object].text_offset = static_cast<std::uint32_t>(start);
    nodes_[object].text_end = 0;
    for (auto member = object + 1; member < end; member = nodes_[member].end)
        sorted_members_.push_back(member);
    const auto first = sorted_members_.begin() + static_cast<std::ptrdiff_t>(start);
    std::sort(first, sorted_members_.end(), [this](auto left, auto right) {
        return key_before(left, right) || (!key_before(right, left) && left < right);
    });
    const auto pair = std::adjacent_find(first, sorted_members_.end(),
                                         [this](auto left, auto right) { return key_of(left) == key_of(right); });
    return pair == sorted_members_.end() ? 0 : *(pair + 1);
}

bool json_value::boolean() const noexcept
{
    const auto& node = document_->nodes_[index_];
    return node.type == json_type::boolean && node.text_length == 1;
}

std::optional<std::int64_t> json_value::integer() const noexcept
{
    if (type() != json_type::number)
        return std::nullopt;
    const auto digits = text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    return value;
}

std::string_view json_value::raw(std::string_view parsed) const noexcept
{
    const auto& node = document_->nodes_[index_];
    if (node.text_end <= node.text_offset || node.text_end > parsed.size())
        return {};
    return parsed.substr(node.text_offset, node.text_end - node.text_offset);
}

std::string_view json_value::text_in(std::string_view parsed) const noexcept
{
    const auto& node = document_->nodes_[index_];
    if (node.text_offset + std::size_t{node.text_length} > parsed.size())
        return {};
    const auto found = parsed.substr(node.text_offset, node.text_length);
    return found == text() ? found : std::string_view{};
}

std::size_t json_value::size() const noexcept
{
    const auto& node = document_->nodes_[index_];
    return node.type == json_type::array || node.type == json_type::object ? node.text_length : 0;
}

json_value json_value::find(std::string_view name) const noexcept
{
    const auto& nodes = document_->nodes_;
    const auto& self = nodes[index_];
    if (self.type != json_type::object)
        return {};
    if (self.text_length > json_document::most_unsorted) {
        const auto first = document_->sorted_members_.begin() + self.text_offset;
        const auto shorter = [this, name](std::uint32_t member) {
            const auto key = document_->key_of(member);
            return key.size() != name.size() ? key.size() < name.size() : key < name;
        };
        const auto found = std::partition_point(first, first + self.text_length, shorter);
        if (found == first + self.text_length || document_->key_of(*found) != name)
            return {};
        return {*document_, *found};
    }
    for (auto member = index_ + 1; member < self.end; member = nodes[member].end) {
        if (nodes[member].key_length == name.size() && document_->key_of(member) == name)
            return {*document_, member};
    }
    return {};
}

std::string json_value::pointer() const
{
    std::string path;
    const auto& nodes = document_->nodes_;
    for (std::uint32_t at = 0; at != index_;) {
        const bool named = nodes[at].type == json_type::object;
        std::size_t position = 0;
        auto child = at + 1;
        for (; nodes[child].end <= index_; child = nodes[child].end)
            ++position;
        append_pointer_token(path, named ? document_->key_of(child) : std::to_string(position));
        at = child;
    }
    return path;
}

bool read_text_if_there(json_value object, std::string_view name, std::string& into)
{
    const auto value = object.find(name);
    if (!value)
        return true;
    into = value.text();
    return value.is(json_type::string);
}

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_control_escape(std::string& out, char character)
{
    out.append("\\u00");
    out.push_back(hex_digits[static_cast<unsigned char>(character) >> 4]);
    out.push_back(hex_digits[static_cast<unsigned char>(character) & 15]);
}

void append_escape(std::string& out, char character)
{
    switch (character) {
    case '"':
        out.append("\\\"");
        break;
    case '\\':
        out.append("\\\\");
        break;
    case '\b':
        out.append("\\b");
        break;
    case '\f':
        out.append("\\f");
        break;
    case '\n':
        out.append("\\n");
        break;
    case '\r':
        out.append("\\r");
        break;
    case '\t':
        out.append("\\t");
        break;
    default:
        append_control_escape(out, character);
    }
}

constexpr bool must_escape(char character) noexcept
{
    return static_cast<unsigned char>(character) < 0x20 || character == '"' || character == '\\';
}

} // namespace

void append_json_string(std::string& out, std::string_view text)
{
    out.push_back('"');
    const char* plain = text.data();
    const char* const end = plain + text.size();
    for (const char* at = plain; at != end;) {
        if (end - at >= 8) {
            const auto marks = mark_specials(load_block(at));
            at += marks == 0 ? 8 : first_marked(marks);
            if (marks == 0)
                continue;
        }
        if (must_escape(*at)) {
            out.append(plain, at);
            append_escape(out, *at);
            plain = at + 1;
        }
        ++at;
    }
    out.append(plain, end);
    out.push_back('"');
}

void append_json(std::string& out, json_value value)
{
    switch (value.type()) {
    case json_type::null:
        out.append("null");
        break;
    case json_type::boolean:
        out.append(value.boolean() ? "true" : "false");
        break;
    case json_type::number:
        out.append(value.text());
        break;
    case json_type::string:
        append_json_string(out, value.text());
        break;
    case json_type::array:
    case json_type::object: {
        // Recursion ends at json_document::deepest.
        const bool named = value.type() == json_type::object;
        out.push_back(named ? '{' : '[');
        bool first = true;
        for (const auto child : value.children()) {
            if (!std::exchange(first, false))
                out.push_back(',');
            if (named) {
                append_json_string(out, child.key());
                out.push_back(':');
            }
            append_json(out, child);
        }
        out.push_back(named ? '}' : ']');
    }
    }
}

void append_pointer_token(std::string& pointer, std::string_view name)
{
    constexpr std::size_t longest_name = 64;
    constexpr std::size_t longest_pointer = 160;
    constexpr std::string_view cut = "…";
    if (pointer.size() >= longest_pointer) {
        if (!pointer.ends_with(cut))
            pointer.append(cut);
        return;
    }
    const bool too_long = name.size() > longest_name;
    if (too_long) {
        auto length = longest_name;
        while ((static_cast<unsigned char>(name[length]) & 0xC0U) == 0x80)
            --length;
        name = name.substr(0, length);
    }
    pointer.push_back('/');
    for (std::size_t at = 0; at < name.size(); ++at) {
        const char character = name[at];
        if (character == '~')
            pointer.append("~0");
        else if (character == '/')
            pointer.append("~1");
        else if (static_cast<unsigned char>(character) < 0x20 || character == 0x7F)
            append_control_escape(pointer, character);
        else if (is_surrogate(name, at)) {
            pointer.append("\uFFFD");
            at += 2;
        } else
            pointer.push_back(character);
    }
    if (too_long)
        pointer.append(cut);
}

} // namespace wxcourier::codec
