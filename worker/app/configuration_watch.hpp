// SPDX-License-Identifier: Apache-2.0
/// @file
/// A configuration file that changes while the worker runs.
#pragma once

#include "common/metrics.hpp"
#include "config/file_reader.hpp"
#include "config/load.hpp"
#include "engine/ports.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::app {

/// Reads the file again every two seconds, and at once when asked (SIGHUP). By content and not by inotify, for the
/// reasons of secret_watch. A changed content counts when two looks in a row agree, so that one that is just being
/// written is not taken; when asked, it counts as it stands. It is validated whole. One that is refused changes
/// nothing, and is tried again at each look, for what it lacks may lie outside of it: a secret's file that comes a
/// moment later. Reasons are logged and counted when they are new. Lives on the loop; the file is read and checked on
/// another executor, since a file system may block.
class configuration_watch {
public:
    static constexpr seconds interval{2};

    /// What following new settings came to.
    struct following {
        std::vector<std::string> refusals; ///< Why it cannot be done; nothing has changed then.
        bool changed = false;              ///< Something was different.
        std::size_t needs_restart = 0;     ///< Keys whose new values wait for the next start.
    };
    using load_function = std::function<config::load_outcome(std::string_view text)>;
    using follow_function = std::function<following(const config::settings& wanted)>;

    /// @param path    empty: there is no file, and nothing is watched.
    /// @param reader  where the file is read and loaded.
    /// @param load    called there.
    /// @param follow  called on the loop with settings that have passed all checks.
    configuration_watch(std::string path, engine::clock& time, metrics_registry& metrics,
                        engine::asio::any_io_executor reader, load_function load, follow_function follow);

    /// Watches until stop(). The first look only learns what is in force.
    engine::asio::awaitable<void> run();
    void stop();

    /// Looks now, and takes what it finds even if it has not changed. Any time; before run() it is kept for it.
    void look_now();

private:
    engine::asio::awaitable<void> look(bool asked);
    [[nodiscard]] bool is_due(const std::string& content, bool asked);
    void refuse(std::vector<std::string> reasons, bool asked);
    void take(const config::load_outcome& outcome, const std::string& content, bool asked);
    void show(const std::string& content);

    std::string path_;
    engine::clock& time_;
    engine::asio::any_io_executor reader_;
    load_function load_;
    follow_function follow_;
    std::unique_ptr<engine::alarm> alarm_;
    std::optional<std::string> in_force_; ///< Fingerprint of the content that is followed. Empty: not looked at yet.
    std::string seen_;                    ///< Fingerprint of what the last look saw.
    std::string complaint_;               ///< What was said last about the file as it stands; empty: nothing is wrong.
    bool asked_ = false;
    bool stopping_ = false;
    metric_family& reloads_;
    metric_family& fingerprint_;
    metric_series& applied_at_;
    metric_series& refused_;
    metric_series& needs_restart_;
};

} // namespace wxcourier::app
