// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a Kafka client is told. The application maps its configuration to these; this module knows no YAML.
#pragma once

#include "common/secret.hpp"

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace wxcourier::kafka {

/// A property's name or value that librdkafka refuses; `what()` is its own text, without secrets.
class configuration_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What every client has in common.
struct client_settings {
    std::string bootstrap_servers; ///< host:port, comma-separated.
    std::string client_id = "wxcourier";
    /// librdkafka properties, applied over this module's defaults but under what it owns. Values may be secret.
    std::map<std::string, secret> properties;
};

/// Where a partition without a committed offset is read from.
enum class start_position : std::uint8_t {
    earliest,
    latest, ///< Skips what is there.
    error,  ///< Refuses to run.
};

/// A member of a consumer group.
struct consumer_settings {
    client_settings client;
    std::string group_id;
    std::vector<std::string> topics; ///< At least one.
    start_position start = start_position::earliest;
    std::vector<std::string>
        read_from_start{}; ///< Of `topics`, those for which `start` does not count: nothing is skipped.
};

/// A producer.
struct producer_settings {
    client_settings client;
    std::vector<std::string> topics; ///< Looked up at start, so that the first record does not wait for that.
};

} // namespace wxcourier::kafka
