// SPDX-License-Identifier: Apache-2.0
/// @file
/// JSON from outside as a compact tree, and back word for word. RapidJSON reads; the tree is our own, because a body
/// must leave with its numbers' characters and its members' order untouched, and hostile input (deep, long, with equal
/// keys) must cost no more than its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::codec {

enum class json_type : std::uint8_t { null, boolean, number, string, array, object };

/// `null`, `a number`, `an object`, …, for error texts.
std::string_view describe(json_type type) noexcept;

class json_document;
class json_children;

/// A value inside a `json_document`, or none (as `find` says). Two words; valid while the document is neither parsed
/// again nor destroyed, and while it stays at its address.
class json_value {
public:
    json_value() = default;

    /// There is a value. Everything else may only be asked of one that exists.
    explicit operator bool() const noexcept { return document_ != nullptr; }

    [[nodiscard]] json_type type() const noexcept;
    [[nodiscard]] bool is(json_type wanted) const noexcept { return document_ != nullptr && type() == wanted; }
    /// The member's name; empty for an element of an array and for the root.
    [[nodiscard]] std::string_view key() const noexcept;
    /// Of a string: what it says, decoded. Of a number: its characters as they stood. Empty for others.
    [[nodiscard]] std::string_view text() const noexcept;
    [[nodiscard]] bool boolean() const noexcept;
    /// Of a number that is an integer of 64 bits, without point or exponent. Empty for every other value.
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
    /// Of an object of up to 16 members: what stands of it in the text that was parsed. Empty for others.
    /// @param parsed  that text.
    [[nodiscard]] std::string_view raw(std::string_view parsed) const noexcept;
    /// A string's text where it stands in the text that was parsed. Empty: it stands there with an escape.
    /// @param parsed  that text.
    [[nodiscard]] std::string_view text_in(std::string_view parsed) const noexcept;
    /// Members or elements.
    [[nodiscard]] std::size_t size() const noexcept;
    /// Members or elements in their order; none for other types.
    [[nodiscard]] json_children children() const noexcept;
    /// The member of that name (the first one, in a document with duplicate keys). At most O(log n).
    [[nodiscard]] json_value find(std::string_view name) const noexcept;
    /// RFC 6901 pointer from the root, readable in a log: see `append_pointer_token`.
    [[nodiscard]] std::string pointer() const;

    friend bool operator==(const json_value&, const json_value&) = default;

private:
    friend class json_document;
    friend class json_children;
    json_value(const json_document& document, std::uint32_t index) : document_(&document), index_(index) {}

    const json_document* document_ = nullptr;
    std::uint32_t index_ = 0;
};

/// Parsed JSON. Movable; `json_value`s are taken anew from `root` after a move.
class json_document {
public:
    /// Deepest nesting, the outermost brackets included.
    static constexpr std::size_t deepest = 64;

    /// Parses one JSON text: strict RFC 8259, UTF-8 without BOM, no NUL byte, no half of a surrogate pair, no number
    /// beyond a double's range, no duplicate key, nothing behind the value. Memory of an earlier parse is used again.
    /// @param longest  bytes, at most.
    /// @return what is wrong, with the JSON pointer or the byte; empty: nothing. For what may still be said about it,
    /// the
    ///         tree then holds the text if that is JSON, up to where it became too deep; otherwise there is no root.
    std::optional<std::string> parse(std::string_view text, std::size_t longest);

    /// None before the first `parse`, and after one that found no JSON.
    [[nodiscard]] json_value root() const noexcept { return nodes_.empty() ? json_value{} : json_value{*this, 0}; }
    /// Bytes of memory it holds.
    [[nodiscard]] std::size_t footprint() const noexcept;
    /// Gives back memory that this tree does not need; for one that is kept.
    void shrink();

private:
    friend class json_value;
    friend class json_children;
    class builder;
    class quick_reader;

    /// In depth-first order, so that a node's first child is the next node.
    struct node {
        std::uint32_t key_offset = 0; ///< Into `buffer_`.
        std::uint32_t key_length = 0;
        std::uint32_t text_offset = 0; ///< Into `buffer_`; of a large object: its part of `sorted_members_`.
        std::uint32_t text_end = 0;    ///< Of an object that is not large: behind its closing brace.
        std::uint32_t text_length = 0; ///< Of an array or object: its children; of a boolean: 1 is true.
        std::uint32_t end = 0;         ///< Behind the last node below this one: the next sibling, or the parent's end.
        json_type type = json_type::null;
    };

    /// Objects with more members are searched by `sorted_members_`.
    static constexpr std::size_t most_unsorted = 16;

    [[nodiscard]] std::string_view key_of(std::uint32_t index) const noexcept
    {
        return {buffer_.data() + nodes_[index].key_offset, nodes_[index].key_length};
    }
    [[nodiscard]] bool key_before(std::uint32_t left, std::uint32_t right) const noexcept;
    std::uint32_t index_members(std::uint32_t object);
    [[nodiscard]] std::optional<std::string> find_surrogate() const;

    std::string buffer_;
    std::vector<node> nodes_;
    std::vector<std::uint32_t> sorted_members_;
};

/// The children of an array or object, for a range-based loop.
class json_children {
public:
    class iterator {
    public:
        using value_type = json_value;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using pointer = const json_value*;
        using reference = json_value;

        iterator() = default;
        explicit iterator(json_value at) : at_(at) {}
        json_value operator*() const noexcept { return at_; }
        iterator& operator++() noexcept
        {
            at_.index_ = at_.document_->nodes_[at_.index_].end;
            return *this;
        }
        iterator operator++(int) noexcept
        {
            iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        json_value at_;
    };

    json_children() = default;
    json_children(json_value first, json_value end) : first_(first), end_(end) {}
    [[nodiscard]] iterator begin() const noexcept { return iterator{first_}; }
    [[nodiscard]] iterator end() const noexcept { return iterator{end_}; }

private:
    json_value first_;
    json_value end_;
};

// Inline, as the decoder of jobs spends much of its time in them.

inline json_type json_value::type() const noexcept
{
    return document_->nodes_[index_].type;
}

inline std::string_view json_value::key() const noexcept
{
    return document_->key_of(index_);
}

inline std::string_view json_value::text() const noexcept
{
    const auto& node = document_->nodes_[index_];
    if (node.type != json_type::string && node.type != json_type::number)
        return {};
    return {document_->buffer_.data() + node.text_offset, node.text_length};
}

inline json_children json_value::children() const noexcept
{
    return {json_value{*document_, index_ + 1}, json_value{*document_, document_->nodes_[index_].end}};
}

/// Reads the member of that name, an integer that fits. False: there is none, or it is something else.
template <typename Number>
[[nodiscard]] bool read_number(json_value object, std::string_view name, Number& into) noexcept
{
    const auto value = object.find(name);
    const auto number = value ? value.integer() : std::nullopt;
    if (!number || !std::in_range<Number>(*number))
        return false;
    into = static_cast<Number>(*number);
    return true;
}

/// The same of a member that may be missing: `into` stays as it is then.
template <typename Number>
[[nodiscard]] bool read_number_if_there(json_value object, std::string_view name, Number& into) noexcept
{
    return !object.find(name) || read_number(object, name, into);
}

/// Reads the member of that name, a string; without one `into` stays as it is. False: it is something else.
[[nodiscard]] bool read_text_if_there(json_value object, std::string_view name, std::string& into);

/// Appends a value as JSON: raw UTF-8, numbers as they stood, members in their order, no white space.
void append_json(std::string& out, json_value value);

/// Appends a string as JSON, quotes included. Only `"`, `\` and control characters are escaped.
void append_json_string(std::string& out, std::string_view text);

/// Appends `/` and a member's name, `~` and `/` escaped by RFC 6901, control characters as `\u00XX`; a long name, or
/// one that makes the pointer long, is cut with `…`.
void append_pointer_token(std::string& pointer, std::string_view name);

} // namespace wxcourier::codec
