// SPDX-License-Identifier: Apache-2.0
/// @file
/// How many handshakes with one host go at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace wxcourier::wechat {

/// A session comes with the first answer, so a burst of requests would do a whole handshake each: certificates
/// verified, and kept as often as there are connections, where resumed ones share them. So the first ones go ahead, and
/// the others wait for what they bring. Nothing is known of a server that gives no sessions, so each success lets two
/// go on: the window doubles while one handshake lasts, as TCP's does in slow start. It never becomes smaller. With a
/// session many may go, but not thousands: each holds some 40 KB until it ends.
class handshake_window {
public:
    /// Of 4 to 16 none was better than the others when 2,000 connections were wanted. More than one, so that one that
    /// hangs does not hold up all, and more than `client_settings::failures_to_move`, so that a dead host is left after
    /// one `connect_timeout`.
    static constexpr std::size_t first = 4;

    /// Of those that resume a session, so many at least. As much work as a core does in 0.1 s.
    static constexpr std::size_t first_resumed = 256;

    /// How many more may begin.
    /// @param resumed  there is a session for them.
    [[nodiscard]] std::size_t room(bool resumed) const noexcept
    {
        const std::size_t most = resumed ? std::max(size_, first_resumed) : size_;
        return under_way_ < most ? most - under_way_ : 0;
    }
    void begin() noexcept { ++under_way_; }
    void end() noexcept { --under_way_; }
    void widen() noexcept { ++size_; }

private:
    std::size_t size_ = first;
    std::size_t under_way_ = 0; ///< More than `size_` where a session was lost while it let all go.
};

} // namespace wxcourier::wechat
