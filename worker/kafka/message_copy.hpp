// SPDX-License-Identifier: Apache-2.0
/// @file
/// Copies what a librdkafka message holds, so that the message can go at once: fetched messages that are kept are not
/// counted against the prefetch limits, and keep the client from being destroyed.
#pragma once

#include "engine/ports.hpp"
#include "kafka/handles.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wxcourier::kafka {

/// Empty when the record has no key.
std::optional<std::string> copy_key(const rd_kafka_message_t& message);
/// Empty for a tombstone.
std::optional<std::string> copy_value(const rd_kafka_message_t& message);
/// In the record's order, repeats included.
std::vector<engine::header> copy_headers(const rd_kafka_message_t& message);
/// The record's timestamp, as its producer or the broker set it; the epoch when it has none.
wall_time copy_timestamp(const rd_kafka_message_t& message);

} // namespace wxcourier::kafka
