// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads a secret from where the configuration says it is: at start, and again whenever it may have been rotated.
#pragma once

#include "common/secret.hpp"
#include "config/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace wxcourier::config {

inline constexpr std::size_t max_secret_bytes = std::size_t{64} * 1024;

/// What reading a secret came to.
struct secret_reading {
    std::optional<secret> text; ///< Never empty text. Empty optional: see `failure`.
    std::string failure;        ///< What is wrong, to go after the source's name: `is not set`. Never what it holds.
};

/// `the environment variable NAME` or `the file PATH`, for messages.
std::string describe(const secret_source& source);

/// Reads the variable, or the file: a regular one, at most `max_secret_bytes`. Line ends at its end are dropped
/// (editors and `echo` add one), an empty text and a NUL byte are failures. A source of kind `value` or `none` cannot
/// be read again: a failure too. Blocks for as long as the file system does.
secret_reading read_secret(const secret_source& source);

/// Whether it can be an AppSecret or stand in an HTTP header: one line of at most 512 printable ASCII characters
/// without blanks. Says what is wrong, to go after the source's name; empty: nothing.
std::string flaw_of_word(const secret& text);

} // namespace wxcourier::config
