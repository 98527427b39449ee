// SPDX-License-Identifier: Apache-2.0
/// @file
/// A short name for a file's content.
#pragma once

#include <string>
#include <string_view>

namespace wxcourier::config {

/// The first 16 hex digits of its SHA-256, as `sha256sum` prints them: tells which configuration a replica runs.
std::string fingerprint(std::string_view content);

} // namespace wxcourier::config
