// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which of an app's access tokens is newer, for every replica of the group alike.
#pragma once

#include <compare>
#include <cstdint>

namespace wxcourier::domain {

/// Names one token of an app in the whole group. Later terms go before generations: what a leader that has been
/// replaced still writes can never take the place of its successor's.
struct token_stamp {
    std::uint64_t term = 0;       ///< Of the leader that fetched it; 0: there is no token.
    std::uint64_t generation = 0; ///< Counts up for each app, through all terms.

    friend auto operator<=>(const token_stamp&, const token_stamp&) = default;
};

} // namespace wxcourier::domain
