// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the simulator received, request by request, for tests and people to read out.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace wxcourier::simulator {

struct received_request {
    std::uint64_t sequence = 0; ///< From 1, without gaps; set by the log.
    wall_time at{};             ///< When its last byte had come.
    std::string method;
    std::string path; ///< Without the query, which holds tokens.
    std::string appid;
    std::string touser;
    bool token_valid = false;
    std::string body; ///< Word for word; empty for the calls whose body holds a secret.
    unsigned http_status = 200;
    std::optional<int> errcode; ///< Empty: the answer held none.
    std::int64_t msgid = 0;     ///< 0: none.
    bool duplicate = false;     ///< WeChat knew its client_msg_id: not shown to the user again.
    bool accepted = false;      ///< A message that WeChat took, also where the answer was lost.
    bool answered = true;       ///< The whole answer was to reach the client; false under a reset, stall or truncation.
    std::uint64_t connection = 0;
};

/// The latest requests: at most `keep` of them, and at most 256 MiB of bodies. Not thread-safe.
class received_log {
public:
    explicit received_log(std::size_t keep) : keep_(keep) {}

    /// Gives it the next number and returns that.
    std::uint64_t add(received_request request);

    /// Calls `each` for the kept requests after number `since`, oldest first, at most `limit`. Returns the number to
    /// go on from.
    std::uint64_t visit(std::uint64_t since, std::size_t limit,
                        const std::function<void(const received_request&)>& each) const;

    [[nodiscard]] std::uint64_t last_sequence() const noexcept { return last_; }
    [[nodiscard]] std::size_t size() const noexcept { return requests_.size(); }

    /// Forgets all requests; numbers start at 1 again.
    void reset();

private:
    std::size_t keep_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
    std::deque<received_request> requests_;
};

} // namespace wxcourier::simulator
