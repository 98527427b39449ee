// SPDX-License-Identifier: Apache-2.0
/// @file
/// What WeChat remembers for a while so that it can tell a repeat: `client_msg_id`s for 10 minutes, form ids for 7
/// days.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

namespace wxcourier::simulator {

/// Keys with a number each, forgotten after a fixed time, or earlier when more than `capacity` are remembered. A key is
/// kept as 64 bits of hash: two of eight million are confused once in half a million runs, and a load test that fills
/// the window stays within 500 MB. Not thread-safe; the caller says what time it is.
class repeat_window {
public:
    repeat_window(milliseconds span, std::size_t capacity) : span_(span), capacity_(capacity) {}

    /// The number that stands with these three texts taken together; a new key gets `initial`. `repeated` tells which.
    /// The reference is valid until the next call.
    std::int64_t& remember(std::string_view first, std::string_view second, std::string_view third,
                           std::int64_t initial, wall_time now, bool& repeated);

    void reset();

private:
    struct as_it_is {
        std::size_t operator()(std::uint64_t key) const noexcept { return key; }
    };
    struct expiry {
        wall_time at;
        std::uint64_t key;
    };

    milliseconds span_;
    std::size_t capacity_;
    std::unordered_map<std::uint64_t, std::int64_t, as_it_is> numbers_;
    std::deque<expiry> expiries_;
};

} // namespace wxcourier::simulator
