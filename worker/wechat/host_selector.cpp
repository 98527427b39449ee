// SPDX-License-Identifier: Apache-2.0
#include "wechat/host_selector.hpp"

#include <algorithm>

namespace wxcourier::wechat {

host_selector::host_selector(std::size_t hosts, unsigned failures_to_move, steady_duration probe_interval)
    : hosts_(std::max<std::size_t>(hosts, 1)), failures_to_move_(std::max(failures_to_move, 1U)),
      probe_interval_(probe_interval)
{
}

host_selector::choice host_selector::pick(steady_time now)
{
    if (current_ != 0 && now >= next_probe_) {
        next_probe_ = now + probe_interval_;
        return {.host = 0, .probe = true};
    }
    return {.host = current_, .probe = false};
}

bool host_selector::answered(choice chosen)
{
    if (chosen.host == current_) {
        failures_ = 0;
        return false;
    }
    // A late answer of a host whose turn has ended came over an old connection: it does not show that new ones succeed.
    if (!chosen.probe) {
        return false;
    }
    current_ = 0;
    failures_ = 0;
    return true;
}

bool host_selector::unreachable(choice chosen, steady_time now)
{
    // Requests that were under way when a host's turn ended do not count against the next one.
    if (chosen.host != current_ || hosts_ == 1 || ++failures_ < failures_to_move_) {
        return false;
    }
    current_ = (current_ + 1) % hosts_;
    failures_ = 0;
    next_probe_ = now + probe_interval_;
    return true;
}

} // namespace wxcourier::wechat
