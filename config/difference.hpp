// SPDX-License-Identifier: Apache-2.0
/// @file
/// Two configurations of one worker → what is different, and whether a running worker can follow.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace wxcourier::config {

/// One key with another value. For the log: of a secret it says where it is read from, never what it is.
struct change {
    std::string key;    ///< As in docs/configuration.md, with an app's name in the place of its number.
    std::string before; ///< Empty, as `after` is, where a value must not be shown.
    std::string after;

    bool operator==(const change&) const = default;
};

/// An app that stands in both, differently.
struct app_difference {
    std::string name;
    std::vector<change> changes; ///< At least one.
    bool limits = false;         ///< Rate, concurrency, quota and the like: followed at once.
    bool secret = false;         ///< The AppSecret, or where it stands.
    bool token = false;          ///< Where its tokens come from: it needs a new one.
    bool identity = false;       ///< Its type or AppID: another account under the same name.
};

/// What a running worker follows, and what it cannot.
struct difference {
    std::vector<std::string> added;   ///< Apps, by name.
    std::vector<std::string> removed; ///< Apps, by name.
    std::vector<app_difference> changed;
    std::vector<change> retry;              ///< `delivery.retry`.
    std::vector<change> log;                ///< `log`.
    std::vector<std::string> needs_restart; ///< Keys whose new values have no effect before the next start.

    /// Nothing is there to be followed; `needs_restart` may hold something.
    [[nodiscard]] bool nothing_to_follow() const noexcept
    {
        return added.empty() && removed.empty() && changed.empty() && retry.empty() && log.empty();
    }
};

/// Both have passed all checks. Apps are told apart by their names; their order is no difference.
difference compare(const settings& in_force, const settings& wanted);

/// What is in force once the difference has been followed: what needs a restart stays as it is.
settings followed(settings in_force, const settings& wanted);

} // namespace wxcourier::config
