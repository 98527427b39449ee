// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which of several base URLs a request goes to. WeChat documents api2.weixin.qq.com and others for the case that
/// api.weixin.qq.com cannot be reached.
#pragma once

#include "common/time.hpp"

#include <cstddef>

namespace wxcourier::wechat {

/// Stays with one host until connections to it fail several times in a row, then takes the next; tries the first one
/// now and then, with a single request, and returns to it once that was answered. Pure: time is passed in.
class host_selector {
public:
    /// @param hosts             how many there are; at least 1.
    /// @param failures_to_move  failures in a row that end a host's turn; at least 1.
    /// @param probe_interval    time between two tries of the first host while another one is in use.
    host_selector(std::size_t hosts, unsigned failures_to_move, steady_duration probe_interval);

    struct choice {
        std::size_t host = 0; ///< Index below `hosts`.
        bool probe = false;   ///< Tries the first host out of turn.
    };

    /// The host for the next request. Every call stands for one request.
    choice pick(steady_time now);

    /// The request was answered. True: requests move back to the first host.
    bool answered(choice chosen);

    /// The host was not reached, so nothing was sent. True: requests move to another host.
    bool unreachable(choice chosen, steady_time now);

    [[nodiscard]] std::size_t current() const noexcept { return current_; }

private:
    std::size_t hosts_;
    unsigned failures_to_move_;
    steady_duration probe_interval_;
    std::size_t current_ = 0;
    unsigned failures_ = 0;    ///< In a row, of the current host.
    steady_time next_probe_{}; ///< Meaningful while another host than the first is current.
};

} // namespace wxcourier::wechat
