// SPDX-License-Identifier: Apache-2.0
/// @file
/// librdkafka's log lines and error events as lines of ours. A broker that is away would repeat the same few lines for
/// hours, so each kind of line is let through a few times a while and counted in between.
#pragma once

#include "common/log.hpp"
#include "common/time.hpp"
#include "kafka/handles.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace wxcourier::kafka {

/// Lets through at most `burst` lines of a kind in `window`; the first one after a flood says how many were kept back.
class log_throttle {
public:
    explicit log_throttle(std::uint32_t burst = 3, seconds window = seconds{30}) : burst_(burst), window_(window) {}

    /// Whether a line of this kind may go out now, and how many of it were kept back before it.
    struct decision {
        bool pass = false;
        std::uint64_t kept_back = 0;
    };
    decision admit(std::string_view kind, steady_time now);

private:
    struct counter {
        steady_time window_start{};
        std::uint32_t passed = 0;
        std::uint64_t kept_back = 0;
    };

    std::uint32_t burst_;
    seconds window_;
    std::map<std::string, counter, std::less<>> counters_;
};

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
