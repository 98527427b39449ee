// SPDX-License-Identifier: Apache-2.0
#include "engine/options.hpp"

namespace wxcourier::engine {

codec::job_rules job_rules_of(const engine_options& options, const std::string& topic)
{
    codec::job_rules rules;
    for (const auto& app : options.apps)
        rules.apps.push_back({app.name, app.type});
    if (const auto restricted = options.topic_apps.find(topic); restricted != options.topic_apps.end())
        rules.allowed_apps = restricted->second;
    rules.max_delay = options.max_delay;
    return rules;
}

} // namespace wxcourier::engine
