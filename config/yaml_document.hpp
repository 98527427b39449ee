// SPDX-License-Identifier: Apache-2.0
/// @file
/// YAML text → a plain tree with places. Built from yaml-cpp's events, not its nodes: nodes resolve aliases (a few
/// lines can stand for 10^9 values), answer a duplicate key with its first value, read 010 as 8 and yes as true. Here
/// a scalar stays the text it is, and what a configuration has no use for is refused by name.
#pragma once

#include "config/finding.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::config {

inline constexpr std::size_t max_file_bytes = std::size_t{256} * 1024;
/// yaml-cpp's time grows with the square of what stands on one line inside [ ] or { }.
inline constexpr std::size_t max_line_bytes = std::size_t{8} * 1024;
/// The deepest value there is stands 6 deep.
inline constexpr int max_depth = 16;

/// One value of the document.
struct yaml_node {
    enum class kind : std::uint8_t {
        null,
        scalar,
        sequence,
        mapping,
        refused, ///< A finding has been made of it already: readers pass over it in silence.
    };

    kind is = kind::null;
    place at{};
    std::string text{};             ///< Of a scalar, with every `${NAME}` replaced.
    std::string written{};          ///< As it stands in the file, safe to show where `text` may hold a secret.
    bool quoted = false;            ///< A scalar that can only be a string: in quotes, or a block.
    std::vector<yaml_node> items{}; ///< Of a sequence, or the values of a mapping.
    std::string key{};              ///< Of a mapping's value: unique in its mapping.
    place key_at{};
};

/// Parses one document. Refuses: more than `max_file_bytes`, lines of more than `max_line_bytes`, bytes that are not
/// UTF-8, control characters, syntax errors, a second document, anchors, aliases, tags, keys that are not scalars,
/// duplicate keys, nesting beyond `max_depth`, an empty document. Empty: not even a tree to look into.
std::optional<yaml_node> parse_yaml(std::string_view text, findings& found);

} // namespace wxcourier::config
