// SPDX-License-Identifier: Apache-2.0
#include "simulator/dice.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace wxcourier::simulator {

milliseconds dice::around(milliseconds middle, milliseconds spread)
{
    if (spread.count() <= 0) {
        return middle;
    }
    std::uniform_int_distribution<std::int64_t> offset(-spread.count(), spread.count());
    return std::max(milliseconds{0}, middle + milliseconds(offset(engine_)));
}

std::string dice::token()
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text = "95_";
    text.reserve(136);
    while (text.size() < 136) {
        text.push_back(alphabet[engine_() % alphabet.size()]);
    }
    return text;
}

std::string make_rid(wall_time now, std::uint64_t random)
{
    std::array<char, 40> text{};
    const auto second = std::chrono::floor<seconds>(now).time_since_epoch().count();
    const int length = std::snprintf(text.data(), text.size(), " rid: %08x-%08x-%08x", static_cast<unsigned>(second),
                                     static_cast<unsigned>(random >> 32U), static_cast<unsigned>(random));
    return {text.data(), static_cast<std::size_t>(length)};
}

} // namespace wxcourier::simulator
