// SPDX-License-Identifier: Apache-2.0
/// @file
/// Turns settings into librdkafka's configuration objects and clients.
#pragma once

#include "kafka/client_settings.hpp"
#include "kafka/handles.hpp"

#include <initializer_list>
#include <utility>

namespace wxcourier::kafka {

using property = std::pair<const char*, std::string>;

/// A configuration: this module's `defaults` (those that are not empty), over them the user's properties, over them
/// what is `owned`. The events a client delivers are set by `events` (RD_KAFKA_EVENT_…). Throws configuration_error.
conf_handle make_conf(const client_settings& settings, std::initializer_list<property> defaults,
                      std::initializer_list<property> owned, int events);

/// Opens a client and sends its log lines to `queue`'s owner by way of rd_kafka_set_log_queue later. Starts threads
/// of librdkafka's own; connects in the background. Throws configuration_error.
client_handle open_client(rd_kafka_type_t type, conf_handle conf);

/// librdkafka's name and text of an error, for logs: `_TRANSPORT: Local: Broker transport failure`.
std::string describe(rd_kafka_resp_err_t error);

} // namespace wxcourier::kafka
