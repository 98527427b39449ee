// SPDX-License-Identifier: Apache-2.0
#include "engine/options.hpp"

#include <algorithm>

namespace wxcourier::engine {

codec::job_rules job_rules_of(const engine_options& options, const std::string& topic)
{
    codec::job_rules rules;
    for (const auto& app : options.apps)
        if (!app.removed)
            rules.apps.push_back({app.name, app.type});
    if (const auto restricted = options.topic_apps.find(topic); restricted != options.topic_apps.end())
        rules.allowed_apps = restricted->second;
    rules.max_delay = options.max_delay;
    return rules;
}

domain::app_limits queue_limits_of(const app_options& app)
{
    auto limits = app.limits;
    limits.calls = domain::all_kinds().size();
    return limits;
}

std::size_t in_flight_limit(const engine_options& options)
{
    std::size_t sum = 0;
    for (const auto& each : options.apps)
        sum += each.removed ? 0 : each.limits.concurrency;
    return std::max<std::size_t>(sum, 1);
}

} // namespace wxcourier::engine
