// SPDX-License-Identifier: Apache-2.0
#include "domain/retry_budget.hpp"

#include <algorithm>

namespace wxcourier::domain {

retry_budget::counts& retry_budget::slide(steady_time now) noexcept
{
    const auto slot = now.time_since_epoch() / (limits_.window / static_cast<steady_duration::rep>(slots));
    const auto behind = std::min<steady_duration::rep>(slot - newest_, slots);
    for (steady_duration::rep i = 0; i < behind; ++i) {
        auto& oldest = slots_.at(static_cast<std::size_t>(slot - i) % slots);
        sum_.requests -= oldest.requests;
        sum_.repeats -= oldest.repeats;
        sum_.answers -= oldest.answers;
        sum_.failures -= oldest.failures;
        oldest = {};
    }
    newest_ = std::max(newest_, slot);
    return slots_.at(static_cast<std::size_t>(newest_) % slots);
}

void retry_budget::on_first(steady_time now) noexcept
{
    ++slide(now).requests;
    ++sum_.requests;
}

void retry_budget::on_answer(steady_time now, bool failed) noexcept
{
    auto& slot = slide(now);
    ++slot.answers;
    ++sum_.answers;
    if (failed) {
        ++slot.failures;
        ++sum_.failures;
    }
}

void retry_budget::forget_failures() noexcept
{
    for (auto& each : slots_)
        each.failures = 0;
    sum_.failures = 0;
}

bool retry_budget::ill(steady_time now) noexcept
{
    slide(now);
    return sum_.failures >= limits_.failures &&
           static_cast<double>(sum_.failures) > limits_.failing_part * static_cast<double>(sum_.answers);
}

bool retry_budget::try_repeat(steady_time now) noexcept
{
    // The one that asks is a request itself.
    const bool within =
        static_cast<double>(sum_.repeats) + 1 <= limits_.part * (static_cast<double>(sum_.requests) + 1);
    if (ill(now) && !within && now - last_repeat_ < limits_.lone)
        return false;
    auto& slot = slide(now);
    ++slot.requests;
    ++slot.repeats;
    ++sum_.requests;
    ++sum_.repeats;
    last_repeat_ = now;
    return true;
}

steady_time retry_budget::next_at(steady_time now) const noexcept
{
    return std::min(now + limits_.look_again, std::max(now, last_repeat_ + limits_.lone));
}

} // namespace wxcourier::domain
