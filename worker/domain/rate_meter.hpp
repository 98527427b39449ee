// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a replica could use of an app's rate: what it has used lately, and what waits for nothing else.
#pragma once

#include "common/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace wxcourier::domain {

/// Over the last half second, so that work that has ended is forgotten as soon. Fed every tenth of a second. Pure.
class rate_meter {
public:
    /// @param taken  permits of the rate used, ever.
    /// @param ready  messages that nothing but the rate holds back.
    /// @return thousandths of a permit a second; 0: it could use nothing.
    std::int64_t wanted(std::uint64_t taken, std::size_t ready, steady_time now) noexcept
    {
        // A little more than was used, so that a steady flow is not held back by its own measure.
        constexpr double room = 1.03;
        // What waits is to go within half a second.
        constexpr double drains_a_second = 2;
        const auto oldest = samples_[next_];
        samples_[next_] = {now, taken};
        next_ = (next_ + 1) % samples_.size();
        double used = 0;
        if (oldest.at != steady_time{} && now > oldest.at)
            used = static_cast<double>(taken - oldest.taken) / std::chrono::duration<double>(now - oldest.at).count();
        return static_cast<std::int64_t>(1000 * (used * room + static_cast<double>(ready) * drains_a_second));
    }

private:
    struct sample {
        steady_time at{};
        std::uint64_t taken = 0;
    };
    std::array<sample, 5> samples_; ///< The oldest stands at `next_`.
    std::size_t next_ = 0;
};

} // namespace wxcourier::domain
