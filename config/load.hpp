// SPDX-License-Identifier: Apache-2.0
/// @file
/// YAML file → `settings`. Everything that can be wrong is found in one go, each with its place in the file.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::config {

/// Something wrong with the file, at a place in it. Lines and columns count from 1.
struct finding {
    int line = 1;
    int column = 1;
    std::string what; ///< "what is wrong, what was expected"; never holds a secret.
};

/// `FILE:LINE:COLUMN: what`, as check-config prints it.
std::string to_string(const finding& found, std::string_view file);

/// What a load found: settings only when there is no error.
struct load_outcome {
    std::optional<settings> loaded;
    std::vector<finding> errors;
    std::vector<finding> warnings;
};

enum class secrets : std::uint8_t {
    required, ///< Unset variables and missing files are errors.
    ignored,  ///< `--no-secrets`: they are left empty, for checks away from where the worker runs.
};

/// Reads and checks a configuration file (256 KiB at most). Reads the secrets' files and the environment too.
load_outcome load_file(const std::string& path, secrets want = secrets::required);

/// The same for text already in memory.
load_outcome load_text(std::string_view text, secrets want = secrets::required);

} // namespace wxcourier::config
