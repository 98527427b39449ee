// SPDX-License-Identifier: Apache-2.0
/// @file
/// Counters over everything received; kept in every recording mode.
#pragma once

#include "common/time.hpp"
#include "simulator/endpoints.hpp"
#include "simulator/text_map.hpp"
#include "simulator/token_registry.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace wxcourier::simulator {

struct received_request;

/// Not thread-safe.
class statistics {
public:
    /// Counts an answered request; `row` null: on no call there is.
    void count(const received_request& request, const endpoint* row);
    void count_token(std::string_view appid, token_source source);

    void request_begins() noexcept;
    void request_ends() noexcept { --in_flight_; }
    void connection_opens() noexcept;
    void connection_closes() noexcept { --open_connections_; }

    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
    /// Messages WeChat took and showed to a user.
    [[nodiscard]] std::uint64_t shown() const noexcept { return shown_; }
    /// Messages WeChat took and recognised as repeats: not shown to the user again.
    [[nodiscard]] std::uint64_t suppressed() const noexcept { return suppressed_; }
    [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::uint64_t in_flight_max() const noexcept { return in_flight_max_; }
    [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }
    [[nodiscard]] std::uint64_t open_connections() const noexcept { return open_connections_; }
    /// Calls of one path that were answered with this errcode.
    [[nodiscard]] std::uint64_t answers(std::string_view path, int errcode) const;
    /// Tokens made for one app by one endpoint.
    [[nodiscard]] std::uint64_t tokens(std::string_view appid, token_source source) const;

    /// All of it as one JSON object, docs/simulator.md.
    [[nodiscard]] std::string to_json() const;

    /// Starts again at zero, except for what is open right now.
    void reset();

private:
    struct call_counters {
        std::uint64_t requests = 0;
        std::map<int, std::uint64_t> by_errcode;
        std::map<unsigned, std::uint64_t> by_status;
    };
    using arrivals = std::deque<std::pair<std::int64_t, std::uint64_t>>; ///< Unix second, calls.

    text_map<call_counters> calls_;
    text_map<std::array<std::uint64_t, 2>> tokens_;
    text_map<arrivals> arrivals_; ///< Sends of each app, the latest hour in which there were any.
    std::uint64_t requests_ = 0;
    std::uint64_t shown_ = 0;
    std::uint64_t suppressed_ = 0;
    std::uint64_t in_flight_ = 0;
    std::uint64_t in_flight_max_ = 0;
    std::uint64_t connections_ = 0;
    std::uint64_t open_connections_ = 0;
};

} // namespace wxcourier::simulator
