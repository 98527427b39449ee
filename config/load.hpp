// SPDX-License-Identifier: Apache-2.0
/// @file
/// YAML file → `settings`. Everything that can be wrong is found in one go, each with its place in the file.
#pragma once

#include "config/finding.hpp"
#include "config/settings.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::config {

/// What a load found: settings only when there is no error.
struct load_outcome {
    std::optional<settings> loaded;
    std::vector<finding> errors;
    std::vector<finding> warnings;
};

enum class secrets : std::uint8_t {
    required, ///< Unset variables and missing files are errors.
    of_kafka, ///< Only the Kafka client's are read: for the commands that talk to nobody else.
    ignored,  ///< `--no-secrets`: they are left empty, for checks away from where the worker runs.
};

/// What the Kafka client library says to one of its properties.
enum class property_verdict : std::uint8_t { good, unknown_name, bad_value };

/// Asks it; no value: only the name is known here. This module does not know the library, so its caller asks.
using property_check = std::function<property_verdict(const std::string& name, std::optional<std::string_view> value)>;

/// Reads and checks a configuration file (256 KiB at most). Reads the secrets' files and the environment too. Without
/// `check_property`, `kafka.properties` is taken on trust. Blocks on the file system; throws only when out of memory.
load_outcome load_file(const std::string& path, secrets want = secrets::required,
                       const property_check& check_property = {});

/// The same for text already in memory.
load_outcome load_text(std::string_view text, secrets want = secrets::required,
                       const property_check& check_property = {});

} // namespace wxcourier::config
