// SPDX-License-Identifier: Apache-2.0
#include "engine/rate_shares.hpp"

#include <algorithm>

namespace wxcourier::engine {

rate_shares::rate_shares(const engine_options& options, domain::send_queue& queue, clock& time,
                         metrics_registry& metrics)
    : options_(options), queue_(queue), time_(time), rate_gauge_(metrics["wxcourier_rate_limit"])
{
    for (const auto& app : options_.apps)
        rate_gauge_.with({app.name}).set(app.limits.rate_per_second);
}

void rate_shares::know(std::map<std::string, std::int32_t> partitions)
{
    partitions_ = std::move(partitions);
    apply();
}

void rate_shares::on_assigned(const std::vector<partition_assignment>& assigned)
{
    for (const auto& each : assigned) {
        held_.emplace(each.id, std::pair{each.topic, each.partition});
        // A topic that has grown since.
        if (const auto topic = partitions_.find(each.topic); topic != partitions_.end())
            topic->second = std::max(topic->second, each.partition + 1);
    }
    apply();
}

void rate_shares::on_gone(const std::vector<assignment_id>& gone)
{
    for (const auto id : gone)
        held_.erase(id);
    apply();
}

bool rate_shares::carries(const std::string& topic, const std::string& app) const
{
    const auto restricted = options_.topic_apps.find(topic);
    return restricted == options_.topic_apps.end() ||
           std::find(restricted->second.begin(), restricted->second.end(), app) != restricted->second.end();
}

double rate_shares::share(domain::app_index app) const
{
    if (partitions_.empty())
        return 1;
    const auto& name = options_.apps[app].name;
    std::int64_t all = 0;
    for (const auto& [topic, count] : partitions_)
        all += carries(topic, name) ? count : 0;
    const auto held =
        std::count_if(held_.begin(), held_.end(), [&](const auto& each) { return carries(each.second.first, name); });
    return all == 0 ? 0 : std::min(1.0, static_cast<double>(held) / static_cast<double>(all));
}

void rate_shares::apply()
{
    for (domain::app_index app = 0; app < options_.apps.size(); ++app)
        follow(app);
}

void rate_shares::follow(domain::app_index app)
{
    const auto& limits = options_.apps[app].limits;
    const auto part = share(app);
    if (partitions_.empty())
        queue_.set_rate(app, limits.rate_per_second, limits.burst);
    else
        queue_.share_rate(app, limits.rate_per_second * part, limits.burst * part, time_.now());
    rate_gauge_.with({options_.apps[app].name}).set(limits.rate_per_second * part);
}

} // namespace wxcourier::engine
