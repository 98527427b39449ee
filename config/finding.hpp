// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a load has to say about the file, and where. One pass collects all of it, so that a person mends a file once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::config {

/// A place in the file. Both count from 1; a column is a character, not a byte.
struct place {
    int line = 1;
    int column = 1;
};

/// Something wrong with the file, at a place in it. Lines and columns count from 1.
struct finding {
    int line = 1;
    int column = 1;
    std::string what; ///< "what is wrong, what was expected"; never holds a secret.

    bool operator==(const finding&) const = default;
};

/// `FILE:LINE:COLUMN: what`, as check-config prints it.
std::string to_string(const finding& found, std::string_view file);

/// Collects findings in any order.
struct findings {
    std::vector<finding> errors;
    std::vector<finding> warnings;

    void error(place at, std::string what) { errors.push_back({at.line, at.column, std::move(what)}); }
    void warning(place at, std::string what) { warnings.push_back({at.line, at.column, std::move(what)}); }

    /// Brings both lists into the order of the file.
    void sort();
};

/// `text` in double quotes for a message: control characters escaped, cut after 60 characters.
std::string in_quotes(std::string_view text);

/// `a`, `a or b`, `a, b or c`: the choices a message offers.
std::string alternatives(const std::vector<std::string_view>& choices);

/// The candidate that `word` was probably meant to be: a few letters off, or the same in another case or with other
/// separators. Empty: none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace wxcourier::config
