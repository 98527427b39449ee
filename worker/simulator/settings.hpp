// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a simulated WeChat is told before it starts, and the part of it that may be changed while it runs.
#pragma once

#include "common/secret.hpp"
#include "common/time.hpp"
#include "domain/kinds.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::simulator {

/// An account that exists.
struct declared_app {
    std::string appid;
    secret app_secret;
    std::optional<domain::app_type> type; ///< Empty: every call is open to it; else the other type's answer 48001.
};

/// A template that exists, and the fields a message made from it must carry.
struct declared_template {
    std::string id;
    std::vector<std::string> fields; ///< `thing1`, …; empty: not checked.
};

/// How much is kept of what was received.
enum class recording : std::uint8_t {
    full,   ///< Every request with its body, the latest `keep` of them.
    counts, ///< Only the counters of the statistics.
};

struct settings {
    std::vector<declared_app> apps;           ///< Empty: any appid with any secret that is not empty.
    std::vector<declared_template> templates; ///< Empty: any template_id.
    bool refuse_retired = false; ///< Answer 45103 and 45109 on the two retired calls, as WeChat does today.
    milliseconds latency{0};     ///< Before each answer,
    milliseconds jitter{0};      ///< give or take up to this much.
    seconds token_lifetime{7200};
    seconds grace{300};             ///< How long a replaced token still works; a stable one is replaced this long
                                    ///< before its end, or half its lifetime if that is less.
    std::uint64_t minute_quota = 0; ///< Calls an app may make to each send call in a calendar minute; 0: any number.
    std::uint64_t day_quota = 0;    ///< The same for a calendar day, UTC+8.
    std::size_t keep = 100'000;     ///< Most requests kept in the received log.
    recording record = recording::full;
    bool control = true;    ///< Whether `/_simulator/…` is answered.
    std::uint64_t seed = 0; ///< Of jitter, fault probabilities and tokens; 0: a fresh one.
};

/// `250ms`, `5s`, `10m`, `2h`, or a bare number of milliseconds. Empty: none of these, or beyond 30 days.
std::optional<milliseconds> parse_duration(std::string_view text) noexcept;

} // namespace wxcourier::simulator
