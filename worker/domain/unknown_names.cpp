// SPDX-License-Identifier: Apache-2.0
#include "domain/unknown_names.hpp"

namespace wxcourier::domain {
namespace {

constexpr seconds sweeps_apart{10};

} // namespace

steady_time unknown_names::on_seen(const std::string& name, steady_time now)
{
    if (const auto found = names_.find(name); found != names_.end()) {
        auto& seen = found->second;
        if (now - seen.last > remembered)
            seen.first = now;
        seen.last = now;
        return seen.first + patience;
    }
    if (!may_name_an_app(name))
        return now;
    if (names_.size() >= most_names && now >= next_sweep_) {
        std::erase_if(names_, [now](const auto& each) { return now - each.second.last > remembered; });
        next_sweep_ = now + sweeps_apart; // a flood of names must not cost a sweep for each
    }
    if (names_.size() >= most_names)
        return now;
    names_.emplace(name, sighting{now, now});
    return now + patience;
}

bool may_name_an_app(std::string_view name) noexcept
{
    constexpr std::size_t longest = 64;
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !name.empty() && name.size() <= longest && name.find_first_not_of(allowed) == std::string_view::npos;
}

} // namespace wxcourier::domain
