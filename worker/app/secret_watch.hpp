// SPDX-License-Identifier: Apache-2.0
/// @file
/// Secrets that change while the worker runs: files are read again every few seconds, so that a rotation needs no
/// restart.
#pragma once

#include "common/metrics.hpp"
#include "common/secret.hpp"
#include "config/settings.hpp"
#include "engine/ports.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wxcourier::app {

/// By content and not by inotify: Kubernetes swaps a symbolic link two directories up, other tools rename or write in
/// place, network file systems tell nobody; the content is what all of them have in common, and a few small files every
/// two seconds cost nothing. They are read on a thread of its own, since a file system may block. A content counts when
/// two readings in a row agree, so that one that is just being written is not taken. Lives on the loop.
class secret_watch {
public:
    /// Looks this often; a rotation is taken up after two looks.
    static constexpr seconds interval{2};

    secret_watch(engine::clock& time, metrics_registry& metrics);

    /// Names what is watched; 0: nothing.
    using entry = std::uint64_t;

    /// Watches the file of a secret; other sources cannot change, and are left out: 0. Also while it runs.
    /// @param app      whose it is, for log and metrics.
    /// @param current  what was read from it at the start.
    /// @param take     called with each new content that is well-formed.
    entry add(std::string app, config::secret_source source, secret current, std::function<void(secret)> take);
    /// Watches it no longer.
    void remove(entry which) { files_.erase(which); }

    /// Watches until stop().
    engine::asio::awaitable<void> run();
    void stop();

private:
    struct watched {
        std::string app;
        config::secret_source source;
        secret current;             ///< What was taken last.
        std::optional<secret> seen; ///< A new content, seen once.
        std::string complaint;      ///< What was said about the file last; not said again.
        std::function<void(secret)> take;
    };

    void judge(watched& file, std::optional<secret> text, std::string flaw);
    void complain(watched& file, std::string flaw);

    engine::clock& time_;
    metric_family& rotations_;
    std::map<entry, watched> files_;
    entry last_ = 0;
    std::unique_ptr<engine::alarm> alarm_;
    engine::asio::thread_pool reader_{1};
    bool stopping_ = false;
};

} // namespace wxcourier::app
