// SPDX-License-Identifier: Apache-2.0
/// @file
/// Writes records of several topics together: all of them or none, and by one process at a time.
#pragma once

#include "common/time.hpp"
#include "engine/ports.hpp"
#include "kafka/background_call.hpp"
#include "kafka/client_log.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/event_queue.hpp"
#include "kafka/handles.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::kafka {

enum class transaction_result : std::uint8_t {
    written, ///< All of it, for whoever reads committed records.
    aborted, ///< None of it; may be tried again.
    fenced,  ///< None of it, and none ever again: another process has begun with the same transactional.id.
    unknown, ///< Kafka did not say in time: all of it or none. Not to be tried again by this writer.
};

struct transaction_outcome {
    transaction_result result = transaction_result::written;
    std::string error; ///< Why not, for people.
};

/// A transactional producer. One loop, one thread, one call at a time.
class transaction_writer {
public:
    /// @param id  the transactional.id: who begins later with the same one ends what another has open, and has it
    ///            refused from then on. Throws configuration_error.
    transaction_writer(asio::any_io_executor loop, const client_settings& settings, const std::string& id);
    transaction_writer(const transaction_writer&) = delete;
    transaction_writer& operator=(const transaction_writer&) = delete;
    /// Never blocks. What is open is aborted by the brokers, at the latest when it times out.
    ~transaction_writer();

    /// Takes the id over. When it has `written`, all that earlier owners wrote has been committed or aborted. Once,
    /// before the first `write`.
    asio::awaitable<transaction_outcome> begin(steady_time deadline);
    /// One transaction. Not more than some hundred records: until its end readers wait at the first of them.
    asio::awaitable<transaction_outcome> write(std::vector<engine::outbound_record> records, steady_time deadline);
    /// Destroys the client. False: not by the deadline, and left to a thread of its own.
    asio::awaitable<bool> close(steady_time deadline);

private:
    using blocking_call = std::function<transaction_outcome(rd_kafka_t*)>;

    asio::awaitable<transaction_outcome> call(blocking_call work, steady_time deadline);
    void on_event(event_handle event);

    asio::any_io_executor loop_;
    client_handle client_;
    client_log log_{"transactions"};
    background_calls background_;
    wake_signal changed_;
    std::string refused_; ///< Why a record of the present transaction was not written.
    std::unique_ptr<event_queue> events_;
};

} // namespace wxcourier::kafka
