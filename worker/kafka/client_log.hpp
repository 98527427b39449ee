// SPDX-License-Identifier: Apache-2.0
/// @file
/// librdkafka's log lines and error events as lines of ours. A broker that is away would repeat the same few lines for
/// hours, so each kind of line is let through a few times a while and counted in between.
#pragma once

#include "common/log.hpp"
#include "common/log_throttle.hpp"
#include "kafka/handles.hpp"

#include <string>
#include <string_view>

namespace wxcourier::kafka {

/// The log of one client.
class client_log {
public:
    /// `role` names the client in each line: consumer, producer, admin, reader.
    explicit client_log(std::string role) : role_(std::move(role)) {}

    /// An RD_KAFKA_EVENT_LOG.
    void write_log(rd_kafka_event_t* event);
    /// Some error that librdkafka gets over by itself. `text` adds to what the code says.
    void write_error(rd_kafka_resp_err_t error, std::string_view text);

private:
    void write(log::level at, std::string_view kind, std::string_view message, std::string_view detail);

    std::string role_;
    log_throttle throttle_;
};

} // namespace wxcourier::kafka
