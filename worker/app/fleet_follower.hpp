// SPDX-License-Identifier: Apache-2.0
/// @file
/// Brings the topics that the replicas share to the engine, for as long as the worker runs.
#pragma once

#include "engine/ports.hpp"
#include "kafka/record_reader.hpp"

#include <memory>
#include <string>

namespace wxcourier::app {

/// Follows the fleet topic, and the token topic where there is need, with one Kafka client that is in no group. Lives
/// on one loop.
class fleet_follower {
public:
    /// @param tokens_topic  empty: no app's tokens are shared.
    fleet_follower(engine::asio::any_io_executor executor, kafka::client_settings client, std::string fleet_topic,
                   std::string tokens_topic, engine::clock& time);

    /// Runs until stop().
    engine::asio::awaitable<void> run(engine::fleet_log_listener& to);
    void stop();
    /// The topics may be there now: they are looked for at once.
    void look_again() { stop_->wake(); }

    /// Why the topics cannot be followed; empty: they are.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    engine::asio::awaitable<bool> open();
    engine::asio::awaitable<void> follow(engine::fleet_log_listener& to);
    [[nodiscard]] bool began_in_the_middle() const;
    engine::asio::awaitable<void> read_older(engine::fleet_log_listener& to);

    engine::asio::any_io_executor executor_;
    kafka::client_settings client_;
    std::string fleet_topic_;
    std::string tokens_topic_;
    engine::clock& time_;
    std::unique_ptr<engine::alarm> stop_;
    std::unique_ptr<kafka::record_reader> reader_;
    std::string problem_ = "the topics have not been read yet";
    bool stopping_ = false;
};

} // namespace wxcourier::app
