// SPDX-License-Identifier: Apache-2.0
#include "engine/delivery_store.hpp"

#include <memory>
#include <utility>

namespace wxcourier::engine {

domain::queue_item delivery_store::make(std::shared_ptr<job_in_progress> job, std::size_t index)
{
    if (free_.empty()) {
        free_.push_back(static_cast<domain::queue_item>(slots_.size()));
        slots_.emplace_back();
    }
    const auto item = free_.back();
    free_.pop_back();
    auto& slot = slots_[item];
    slot.history.takes_client_msg_id = job->job.kind->takes_client_msg_id;
    slot.recipient = domain::recipient_key_of(job->messages.touser(index));
    slot.job = std::move(job);
    slot.index = index;
    slot.at = delivery::stage::queued;
    return item;
}

std::shared_ptr<job_in_progress> delivery_store::free(domain::queue_item item)
{
    auto job = std::move(slots_[item].job);
    std::destroy_at(&slots_[item]); // twice as fast as to assign an empty one
    std::construct_at(&slots_[item]);
    free_.push_back(item);
    return job;
}

} // namespace wxcourier::engine
