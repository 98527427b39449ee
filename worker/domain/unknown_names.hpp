// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long the jobs of an app that this replica does not know may wait for the configuration to name it.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace wxcourier::domain {

/// The clock runs for each name, not for each job: during a rolling change a replica that is told last finds jobs of
/// the new app, of whatever age, and is given a minute from the first of them; a backlog of jobs whose app is a typing
/// mistake waits for that minute once and not job by job. A name that was not seen for ten minutes is new again.
/// Bounded: no more than 1,000 names have a clock, and jobs of others do not wait. Pure; not thread-safe.
class unknown_names {
public:
    static constexpr seconds patience{60};
    static constexpr std::chrono::minutes remembered{10};
    static constexpr std::size_t most_names = 1000;

    /// A job of an app of that name was read. Until when it may wait; `now` or before: it may not.
    steady_time on_seen(const std::string& name, steady_time now);
    /// The app is known now.
    void forget(const std::string& name) { names_.erase(name); }

    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

private:
    struct sighting {
        steady_time first;
        steady_time last;
    };

    std::map<std::string, sighting> names_;
    steady_time next_sweep_ = steady_time::min();
};

/// Whether an app could have that name: 1 to 64 of A-Z a-z 0-9 . _ -
bool may_name_an_app(std::string_view name) noexcept;

} // namespace wxcourier::domain
