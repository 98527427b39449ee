// SPDX-License-Identifier: Apache-2.0
#include "domain/delay_plan.hpp"

#include <algorithm>

namespace wxcourier::domain {

std::size_t delay_plan::topic_for(milliseconds wait, wait_end end) const noexcept
{
    const auto rest = end == wait_end::known ? longest_in_memory() : milliseconds{0};
    for (std::size_t i = lengths_.size(); i-- > 1;)
        if (wait >= lengths_[i] + rest)
            return i;
    return 0;
}

wall_time delay_plan::looked_at(std::size_t topic, wall_time written, wall_time now) const noexcept
{
    return std::min(written, now) + lengths_[topic];
}

milliseconds delay_plan::next_look(milliseconds waited) const noexcept
{
    return std::clamp(waited, lengths_.front(), lengths_[std::min<std::size_t>(1, lengths_.size() - 1)]);
}

} // namespace wxcourier::domain
