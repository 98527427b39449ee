// SPDX-License-Identifier: Apache-2.0
/// @file
/// Fetches single records from where they are known to stand.
#pragma once

#include "common/time.hpp"
#include "kafka/background_call.hpp"
#include "kafka/client_log.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/event_queue.hpp"
#include "kafka/handles.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace wxcourier::kafka {

/// A member of no group. One loop, one thread, one `find` at a time.
class record_lookup {
public:
    /// Throws configuration_error.
    record_lookup(asio::any_io_executor loop, const client_settings& settings);
    record_lookup(const record_lookup&) = delete;
    record_lookup& operator=(const record_lookup&) = delete;
    /// Never blocks.
    ~record_lookup();

    /// The value of that very record. Empty: it has none, is not there any more, or the brokers did not say in time.
    asio::awaitable<std::optional<std::string>> find(std::string topic, std::int32_t partition, std::int64_t offset,
                                                     steady_time deadline);

    /// Destroys the client. False: not by the deadline, and left to a thread of its own.
    asio::awaitable<bool> close(steady_time deadline);

private:
    asio::any_io_executor loop_;
    client_handle client_;
    client_log log_{"lookup"};
    background_calls background_;
    wake_signal changed_;
    std::unique_ptr<event_queue> events_;
};

} // namespace wxcourier::kafka
