// SPDX-License-Identifier: Apache-2.0
#include "simulator/settings.hpp"

#include <charconv>

namespace wxcourier::simulator {

std::optional<milliseconds> parse_duration(std::string_view text) noexcept
{
    constexpr milliseconds longest = std::chrono::days{30};
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number > static_cast<std::uint64_t>(longest.count())) {
        return std::nullopt;
    }
    const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    std::int64_t factor = 0;
    if (unit.empty() || unit == "ms") {
        factor = 1;
    } else if (unit == "s") {
        factor = 1'000;
    } else if (unit == "m") {
        factor = 60'000;
    } else if (unit == "h") {
        factor = 3'600'000;
    } else {
        return std::nullopt;
    }
    const milliseconds duration(static_cast<std::int64_t>(number) * factor);
    return duration <= longest ? std::optional(duration) : std::nullopt;
}

} // namespace wxcourier::simulator
