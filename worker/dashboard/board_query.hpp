// SPDX-License-Identifier: Apache-2.0
/// @file
/// What somebody wants to see of the status topic, as it stands in the page's address.
#pragma once

#include "common/time.hpp"
#include "domain/status_record.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::dashboard {

/// The decoded `name=value` pairs of a URL's query, in order. What is no percent escape stays as it stands.
std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text);

struct board_query {
    std::optional<std::string> app;  ///< Empty: all. An empty text: `null` in the status.
    std::optional<std::string> kind; ///< The same.
    std::optional<domain::job_state> state;
    std::optional<milliseconds> last; ///< So long until now.
    std::optional<wall_time> from;    ///< Without `last`: from then …
    std::optional<wall_time> to;      ///< … until then; without it, until now. Neither `last` nor `from`: everything.
    bool list_all = false;            ///< Whether the list of the latest records holds the sent ones too.

    bool operator==(const board_query&) const = default;
};

/// Reads `app`, `kind`, `state`, `range` (`15m`, `24h`, `7d`, `all`), `from` and `to` (milliseconds since the epoch),
/// `list=all`; other parameters are ignored. Empty: one of them makes no sense.
std::optional<board_query> parse_query(std::string_view text);

} // namespace wxcourier::dashboard
