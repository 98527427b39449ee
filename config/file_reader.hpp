// SPDX-License-Identifier: Apache-2.0
/// @file
/// A small file in one piece, with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wxcourier::config {

/// What reading a file came to: `text`, or why not.
struct file_reading {
    std::string text;
    std::string failure; ///< Empty: read. Otherwise what is wrong, without the path: `cannot be read: …`.
};

enum class file_kind : std::uint8_t {
    regular, ///< Nothing that could block or never end.
    any,     ///< A pipe is fine, such as a shell's <(…).
};

/// Reads all of it, or fails when it is a directory or larger than `limit` bytes.
file_reading read_file(const std::string& path, std::size_t limit, file_kind accepted);

} // namespace wxcourier::config
