// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which topics there are, and making those that are missing.
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

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::kafka {

struct topic_specification {
    std::string name;
    int partitions = 1;
    int replication = -1;                      ///< -1: the broker's default (Kafka 2.4 on).
    std::map<std::string, std::string> config; ///< Such as `cleanup.policy`.
};

/// A client for administration. One loop, one thread.
class topic_admin {
public:
    /// Throws configuration_error.
    topic_admin(asio::any_io_executor loop, const client_settings& settings);
    topic_admin(const topic_admin&) = delete;
    topic_admin& operator=(const topic_admin&) = delete;
    /// Never blocks.
    ~topic_admin();

    /// Which of these do not exist, in their order. Asking creates nothing.
    struct missing_topics {
        std::vector<std::string> missing;
        std::map<std::string, std::int32_t> partitions; ///< How many each of the others has.
        std::string error; ///< Empty: the answer is good. Otherwise why the brokers could not be asked.
    };
    asio::awaitable<missing_topics> find_missing(std::vector<std::string> topics, steady_time deadline);

    /// Creates topics; one that exists already counts as created. Gives what went wrong, a line for each topic.
    asio::awaitable<std::vector<std::string>> create(std::vector<topic_specification> topics, steady_time deadline);

    /// Destroys the client. False: not by the deadline, and left to a thread of its own.
    asio::awaitable<bool> close(steady_time deadline);

private:
    struct creation {
        bool answered = false;
        std::vector<std::string> errors;
    };

    void on_event(event_handle event);
    void on_created(rd_kafka_event_t* event);

    asio::any_io_executor loop_;
    client_handle client_;
    client_log log_{"admin"};
    std::map<std::uintptr_t, std::shared_ptr<creation>> creations_;
    std::uintptr_t last_creation_ = 0;
    background_calls background_;
    wake_signal changed_;
    std::unique_ptr<event_queue> events_;
};

} // namespace wxcourier::kafka
