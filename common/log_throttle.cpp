// SPDX-License-Identifier: Apache-2.0
#include "common/log_throttle.hpp"

namespace wxcourier {

log_throttle::decision log_throttle::admit(std::string_view kind, steady_time now)
{
    auto found = counters_.find(kind);
    if (found == counters_.end()) {
        if (counters_.size() >= most_kinds)
            return {true, 0};
        found = counters_.emplace(std::string(kind), counter{now, 0, 0}).first;
    }
    counter& seen = found->second;
    if (now - seen.window_start >= window_) {
        seen.window_start = now;
        seen.passed = 0;
    }
    if (seen.passed >= burst_) {
        ++seen.kept_back;
        return {};
    }
    ++seen.passed;
    const decision result{true, seen.kept_back};
    seen.kept_back = 0;
    return result;
}

std::vector<log_throttle::remainder> log_throttle::overdue(steady_time now)
{
    std::vector<remainder> found;
    if (now < next_look_)
        return found;
    next_look_ = now + window_;
    for (auto each = counters_.begin(); each != counters_.end();) {
        if (now - each->second.window_start < window_) {
            ++each;
            continue;
        }
        if (each->second.kept_back > 0)
            found.push_back({each->first, each->second.kept_back});
        each = counters_.erase(each);
    }
    return found;
}

} // namespace wxcourier
