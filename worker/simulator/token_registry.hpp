// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which access tokens exist, whose they are and how long they work: the rules of WeChat's two token endpoints.
#pragma once

#include "common/time.hpp"
#include "simulator/dice.hpp"
#include "simulator/settings.hpp"
#include "simulator/text_map.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

/// The two endpoints issue independent tokens: neither invalidates the other's.
enum class token_source : std::uint8_t { classic, stable };

struct issued_token {
    std::string token;
    seconds expires_in{0};
    bool fresh = false; ///< It was made for this call.
};

/// Not thread-safe; the caller says what time it is.
class token_registry {
public:
    /// Both must outlive the registry. Lifetime and grace are read at each call, so they may change.
    token_registry(const settings& rules, dice& random) : settings_(rules), dice_(random) {}

    /// A new token. The one before it works for the grace period, earlier ones not any more.
    issued_token issue_classic(std::string_view appid, wall_time now);

    /// The current token with the time it has left, or a new one when that time is within the grace period, or when
    /// `force` says so. A force within 30 s of the last one changes nothing; the 21st of a day is refused: empty.
    std::optional<issued_token> issue_stable(std::string_view appid, bool force, wall_time now);

    struct standing {
        std::string_view appid; ///< Empty: no such token. Valid until the next call that changes the registry.
        int errcode = 0;        ///< 0: it works.
    };
    /// Whose token this is, and the errcode a call with it gets: 40001 unknown or replaced, 42001 expired.
    [[nodiscard]] standing find(std::string_view token, wall_time now) const;

    /// Ends all tokens of an app (empty: of all apps) now: calls with them get `errcode`. With `until_forced` the
    /// stable endpoint goes on handing out the dead token until it is forced, as after a leak was reported.
    /// Returns how many working tokens ended.
    std::size_t expire(std::string_view appid, int errcode, bool until_forced, wall_time now);

private:
    struct record {
        std::string appid;
        wall_time ends;
        bool replaced = false;
        int end_errcode = 0; ///< Set by expire().
    };
    struct series {
        std::deque<std::string> latest; ///< Newest last; older ones are forgotten, which is 40001 as well.
        bool keep_dead = false;
        std::optional<wall_time> last_force;
        std::int64_t force_day = 0;
        int forces = 0;
    };
    issued_token replace(series& tokens, std::string_view appid, wall_time now);
    static bool may_force(series& tokens, wall_time now);

    const settings& settings_;
    dice& dice_;
    std::array<text_map<series>, 2> series_;
    text_map<record> tokens_;
};

} // namespace wxcourier::simulator
