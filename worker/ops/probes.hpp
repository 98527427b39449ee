// SPDX-License-Identifier: Apache-2.0
/// @file
/// What Kubernetes, Prometheus and `wxcourier token` ask: /livez, /readyz, /metrics and /tokens.
#pragma once

#include "common/metrics.hpp"
#include "ops/http_listener.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::ops {

/// An answer to /livez or /readyz.
struct probe_state {
    bool good = true;
    /// Name and state of what was looked at, such as `{"app/shop", "halted: token_rejected"}`.
    std::vector<std::pair<std::string, std::string>> details;
};

/// Where the answers come from. Called on the loop.
struct probe_sources {
    std::function<probe_state()> live;
    std::function<probe_state()> ready;
    std::function<std::string()> tokens; ///< JSON about every app's token, without the token.
    metrics_registry* metrics = nullptr;
};

/// A handler for the four paths; anything else is 404, anything but GET and HEAD 405.
http_listener::handler probe_handler(probe_sources sources);

} // namespace wxcourier::ops
