// SPDX-License-Identifier: Apache-2.0
/// @file
/// An access token that one replica fetched and all of them use.
#pragma once

#include "common/secret.hpp"
#include "common/time.hpp"
#include "domain/token_stamp.hpp"

#include <algorithm>
#include <string>

namespace wxcourier::domain {

struct shared_token {
    token_stamp stamp;
    secret text;
    wall_time issued_at{};  ///< By the clock of the replica that fetched it.
    wall_time expires_at{}; ///< By the same clock.
    std::string worker;     ///< Its instance's id.
};

/// Clocks of one fleet are never further apart than this; a token whose age seems to be more was read late.
inline constexpr std::chrono::minutes widest_clock_spread{5};

/// How long a token still lives, for a reader whose clock says `now`.
/// @param live  the record was read as it was written: it is new whatever the two clocks say. Otherwise only they can
///              tell its age.
inline milliseconds remaining_life(const shared_token& token, wall_time now, bool live)
{
    const auto life = token.expires_at - token.issued_at;
    const auto age = now - token.issued_at;
    if (live && age < widest_clock_spread)
        return life;
    return std::clamp(life - age, milliseconds{0}, std::max(life, milliseconds{0}));
}

} // namespace wxcourier::domain
