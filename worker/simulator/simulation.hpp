// SPDX-License-Identifier: Apache-2.0
/// @file
/// The whole simulated WeChat but its sockets: a request goes in, out comes what to put on the wire and how.
#pragma once

#include "common/time.hpp"
#include "simulator/dice.hpp"
#include "simulator/fault_script.hpp"
#include "simulator/incoming_call.hpp"
#include "simulator/received_log.hpp"
#include "simulator/settings.hpp"
#include "simulator/statistics.hpp"
#include "simulator/wechat_rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

/// An answer, and how it is to travel. Counts of bytes are of the whole response, head included.
struct reply {
    unsigned status = 200;
    std::string_view content_type = "application/json; encoding=utf-8"; ///< A literal.
    std::string body;
    milliseconds delay{0};                  ///< Before the first byte.
    std::optional<std::size_t> reset_after; ///< Then RST.
    std::optional<std::size_t> stall_after; ///< Then nothing, until the client gives up.
    std::optional<std::size_t> truncate_to; ///< Of the body; then an orderly end.
    std::optional<milliseconds> drip;       ///< Pause after each byte.
    bool close = false;                     ///< The connection ends after it.
};

/// Not thread-safe: everything on the thread of the server that owns it.
class simulation {
public:
    explicit simulation(settings initial);

    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;

    /// Answers one request. `connection` is a number the log tells connections apart by.
    reply respond(const http_request& request, std::uint64_t connection, wall_time now);

    fault_script& faults() noexcept { return faults_; }
    received_log& received() noexcept { return received_; }
    statistics& counters() noexcept { return statistics_; }
    token_registry& tokens() noexcept { return rules_.tokens(); }

    /// Latency, jitter, quotas, lifetime, grace and the answer of retired calls take effect at once when changed here;
    /// the rest is read at the start only.
    settings& rules() noexcept { return settings_; }

    /// Forgets log, statistics, faults, quotas used and repeats remembered. Tokens and settings stay.
    void reset();

private:
    /// What was decided about one request, before it is written down.
    struct outcome {
        wechat_answer answer;
        bool accepted = false; ///< A message that WeChat took, whatever the answer says.
    };

    reply refuse_framing(const http_request& request, std::uint64_t connection, wall_time now);
    outcome decide(incoming_call& call, const std::optional<fault_script::choice>& planned, wall_time now);
    outcome judge(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now);
    outcome play(const incoming_call& call, const fault_script::choice& planned, wall_time now);
    void record(const incoming_call& call, const outcome& decided, const reply& sent, std::uint64_t connection,
                wall_time now);

    settings settings_;
    dice dice_;
    wechat_rules rules_;
    fault_script faults_;
    received_log received_;
    statistics statistics_;
};

} // namespace wxcourier::simulator
