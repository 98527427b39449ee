// SPDX-License-Identifier: Apache-2.0
#include "simulator/repeat_window.hpp"

#include <functional>

namespace wxcourier::simulator {

namespace {

std::uint64_t mix(std::uint64_t seed, std::string_view text) noexcept
{
    // 2^64 / golden ratio, as in boost::hash_combine's successor: order matters and no bits are lost.
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = (seed ^ std::hash<std::string_view>{}(text)) * golden;
    mixed ^= mixed >> 32U;
    return mixed * golden;
}

} // namespace

std::int64_t& repeat_window::remember(std::string_view first, std::string_view second, std::string_view third,
                                      std::int64_t initial, wall_time now, bool& repeated)
{
    while (!expiries_.empty() && (expiries_.front().at <= now || expiries_.size() > capacity_)) {
        numbers_.erase(expiries_.front().key);
        expiries_.pop_front();
    }
    const std::uint64_t key = mix(mix(mix(0, first), second), third);
    const auto [entry, inserted] = numbers_.try_emplace(key, initial);
    if (inserted) {
        expiries_.push_back({now + span_, key});
    }
    repeated = !inserted;
    return entry->second;
}

void repeat_window::reset()
{
    numbers_.clear();
    expiries_.clear();
}

} // namespace wxcourier::simulator
