// SPDX-License-Identifier: Apache-2.0
/// @file
/// The checks that a configuration has to pass before it is used: the same at start, at a reload and in `check-config`.
#pragma once

#include "config/load.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::app {

/// Has the linked librdkafka look at one of its properties, for the loader. Thread-safe.
config::property_verdict check_kafka_property(const std::string& name, std::optional<std::string_view> value);

/// Reads text as the worker's configuration, its secrets included. What it asks for and this release does not do is an
/// error too. Blocks on the file system. Thread-safe.
config::load_outcome read_configuration(std::string_view text);

} // namespace wxcourier::app
