// SPDX-License-Identifier: Apache-2.0
/// @file
/// A record_publisher that keeps what it is given, and acknowledges when a test wants it to.
#pragma once

#include "domain/status_record.hpp"
#include "engine/ports.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace wxcourier::test {

namespace asio = boost::asio;

/// Acknowledges in the loop's next turn, unless `hold`.
class scripted_publisher final : public engine::record_publisher {
public:
    struct published {
        engine::outbound_record record;
        std::uint64_t ticket = 0;
    };

    explicit scripted_publisher(asio::io_context& loop) : loop_(loop) {}

    void attach(engine::publisher_listener& listener) { listener_ = &listener; }

    void publish(engine::outbound_record record, std::uint64_t ticket) override;

    /// From here on nothing goes in or out: the process is dead to the broker.
    void sever() { severed_ = true; }

    /// Acknowledges the oldest waiting record, or all of them.
    void acknowledge_one();
    void acknowledge_all();

    /// What stands on a topic, in the order of its acknowledgement.
    [[nodiscard]] std::vector<engine::outbound_record> on(std::string_view topic) const;
    /// The status topic, read. Every record of it must be readable (std::runtime_error otherwise).
    [[nodiscard]] std::vector<domain::status_record> statuses() const;
    /// The statuses of one state.
    [[nodiscard]] std::vector<domain::status_record> statuses(domain::job_state state) const;

    bool hold = false;
    std::size_t largest_value = 1'000'000'000; ///< A larger one is refused, for good.
    std::deque<published> waiting;             ///< Not acknowledged yet.
    std::vector<engine::outbound_record> stored;
    std::string status_topic = "push.status";
    std::function<void(const engine::outbound_record&)> on_stored = [](const auto&) {};

private:
    asio::io_context& loop_;
    engine::publisher_listener* listener_ = nullptr;
    bool severed_ = false;
};

} // namespace wxcourier::test
