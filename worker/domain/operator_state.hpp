// SPDX-License-Identifier: Apache-2.0
/// @file
/// What operators have said at run time: what is paused, and which apps go at another rate than the configuration's.
#pragma once

#include "common/time.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// What a pause covers: the messages that match every member that is not empty. All of them empty: everything.
struct pause_target {
    std::string app;
    std::string kind;
    std::string template_id;

    friend auto operator<=>(const pause_target&, const pause_target&) = default;
};

/// `all`, `app shop`, `kind official.template`, `template TM00 of app shop`: for people.
std::string describe(const pause_target& target);

/// Who changed something, where and when.
struct operator_mark {
    std::string by;     ///< The name the operator gave, or the address the call came from.
    std::string worker; ///< The replica that took the call.
    wall_time at{};     ///< By that replica's clock; for people, nothing is decided by it.

    friend bool operator==(const operator_mark&, const operator_mark&) = default;
};

/// Limits of an app that hold instead of the configuration's. Empty: the configuration's.
struct rate_override {
    std::optional<double> per_second;
    std::optional<double> burst;
    std::optional<std::size_t> concurrency;

    [[nodiscard]] bool empty() const noexcept { return !per_second && !burst && !concurrency; }
    friend bool operator==(const rate_override&, const rate_override&) = default;
};

/// What an operator asks for about an app's limits: a member that is not given stays as it is, one that is given and
/// empty becomes the configuration's again.
struct rate_patch {
    std::optional<std::optional<double>> per_second;
    std::optional<std::optional<double>> burst;
    std::optional<std::optional<std::size_t>> concurrency;

    /// What holds after it.
    [[nodiscard]] rate_override applied_to(rate_override before) const noexcept;
    friend bool operator==(const rate_patch&, const rate_patch&) = default;
};

/// One word of an operator's. The last word about a target, or about an app's rate, is the one that holds; `renewed`
/// tells of something done and is no state.
struct operator_change {
    enum class action : std::uint8_t {
        pause,
        resume,
        rate,
        renewed, ///< A replica has got the app another access token, as an operator asked; the others fetch it too.
    };

    action what = action::pause;
    pause_target target; ///< Of `rate` and `renewed`: an app alone.
    rate_override rate;  ///< Of `rate`: all of what holds from now on; empty: the configuration's again.
    operator_mark mark;

    friend bool operator==(const operator_change&, const operator_change&) = default;
};

/// All that holds, as of a place in the log.
struct operator_snapshot {
    struct pause {
        pause_target target;
        operator_mark mark;
        std::int64_t offset = 0; ///< Of the change.
        friend bool operator==(const pause&, const pause&) = default;
    };
    struct rate {
        std::string app;
        rate_override limits;
        operator_mark mark;
        std::int64_t offset = 0;
        friend bool operator==(const rate&, const rate&) = default;
    };

    std::int64_t through = -1; ///< Every change up to this offset is in it, none behind it.
    std::vector<pause> pauses;
    std::vector<rate> rates;

    friend bool operator==(const operator_snapshot&, const operator_snapshot&) = default;
};

/// Applies changes in the log's order, so that all replicas that have read it to the same place hold the same. Each
/// target is a register of its own whose last word, by offset, stands; so a snapshot may be merged at any time, and one
/// that was written before a change that stands in front of it in the log takes nothing of that change back. Pure; not
/// thread-safe.
class operator_state {
public:
    /// Pauses, at most: what a snapshot can carry within a record.
    static constexpr std::size_t most_pauses = 1'000;
    /// Apps with a rate of their own, at most.
    static constexpr std::size_t most_rates = 1'000;

    /// A change that stands at `offset`. False: nothing is different because of it (it says what holds already, or
    /// there is no room, which is so on every replica).
    bool apply(const operator_change& change, std::int64_t offset);
    /// A snapshot that was read. False: nothing is different because of it.
    bool merge(const operator_snapshot& snapshot);

    /// All of it, for a log that was read through that offset.
    [[nodiscard]] operator_snapshot snapshot(std::int64_t through) const;

    /// Whether the change would say something new.
    [[nodiscard]] bool would_change(const operator_change& change) const;
    /// Whether there is room for it; resuming and resetting always have.
    [[nodiscard]] bool has_room_for(const operator_change& change) const;

    /// Whether all of an app's messages wait.
    [[nodiscard]] bool pauses_app(std::string_view app) const;
    /// Whether this kind's messages wait, in that app; pauses of the whole app do not count here.
    [[nodiscard]] bool pauses_kind(std::string_view app, std::string_view kind) const;
    /// Whether this template's messages wait, in that app; other pauses do not count here.
    [[nodiscard]] bool pauses_template(std::string_view app, std::string_view template_id) const;
    /// Whether some template is paused that may be the app's.
    [[nodiscard]] bool pauses_some_template(std::string_view app) const;
    [[nodiscard]] rate_override rate_of(std::string_view app) const;

    /// The pauses in force, by target.
    [[nodiscard]] std::vector<operator_snapshot::pause> pauses() const;
    /// The rates in force, by app.
    [[nodiscard]] std::vector<operator_snapshot::rate> rates() const;

private:
    struct pause_word {
        bool paused = false; ///< False: resumed; kept until a snapshot knows of it.
        operator_mark mark;
        std::int64_t offset = 0;
    };
    struct rate_word {
        rate_override limits; ///< Empty: reset; kept until a snapshot knows of it.
        operator_mark mark;
        std::int64_t offset = 0;
    };

    [[nodiscard]] bool paused(const pause_target& target) const;
    [[nodiscard]] std::size_t count_pauses() const;
    [[nodiscard]] std::size_t count_rates() const;

    std::map<pause_target, pause_word> pauses_;
    std::map<std::string, rate_word, std::less<>> rates_;
};

} // namespace wxcourier::domain
