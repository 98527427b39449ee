// SPDX-License-Identifier: Apache-2.0
#include "engine/known_sources.hpp"

#include <algorithm>

namespace wxcourier::engine {

std::size_t known_sources::hash::operator()(const key& of) const noexcept
{
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
    auto mixed = static_cast<std::uint64_t>(of.offset) * odd;
    mixed ^= (mixed >> 29U) ^ ((std::uint64_t{of.topic} << 32U) + static_cast<std::uint32_t>(of.partition)) * odd;
    return mixed ^ (mixed >> 32U);
}

known_sources::key known_sources::key_of(const domain::source_position& source)
{
    const auto topic = topics_.try_emplace(source.topic, static_cast<std::uint32_t>(topics_.size())).first->second;
    return {topic, source.partition, source.offset};
}

bool known_sources::begin(const domain::source_position& source, assignment_id assignment)
{
    const auto name = key_of(source);
    return !ended_.contains(name) && in_memory_.emplace(name, assignment).second;
}

bool known_sources::forget(const key& what, assignment_id assignment)
{
    const auto found = in_memory_.find(what);
    if (found == in_memory_.end() || found->second != assignment)
        return false;
    in_memory_.erase(found);
    return true;
}

void known_sources::on_ended(const domain::source_position& source, assignment_id assignment)
{
    const auto name = key_of(source);
    if (!forget(name, assignment) || !ended_.insert(name).second)
        return;
    ended_in_order_.push_back(name);
    if (ended_in_order_.size() > most_ended_) {
        ended_.erase(ended_in_order_.front());
        ended_in_order_.pop_front();
    }
}

void known_sources::on_moved(const domain::source_position& source, assignment_id assignment)
{
    forget(key_of(source), assignment);
}

void known_sources::let_go(const std::vector<assignment_id>& ids)
{
    std::erase_if(in_memory_,
                  [&ids](const auto& each) { return std::find(ids.begin(), ids.end(), each.second) != ids.end(); });
}

} // namespace wxcourier::engine
