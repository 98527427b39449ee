// SPDX-License-Identifier: Apache-2.0
/// @file
/// The messages in memory, by number: the queue and the publisher speak of numbers, not of pointers.
#pragma once

#include "engine/job_in_progress.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace wxcourier::engine {

/// Slots that are used again, so that a message costs no allocation of its own. References stay valid until `free`.
class delivery_store {
public:
    domain::queue_item make(std::shared_ptr<job_in_progress> job, std::size_t index);
    /// Returns its job.
    std::shared_ptr<job_in_progress> free(domain::queue_item item);
    delivery& operator[](domain::queue_item item) { return slots_[item]; }

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size() - free_.size(); }
    /// Calls `each(item, delivery)` for every message in memory.
    template <typename F>
    void for_each(F each)
    {
        for (std::size_t i = 0; i < slots_.size(); ++i)
            if (slots_[i].at != delivery::stage::free)
                each(static_cast<domain::queue_item>(i), slots_[i]);
    }

private:
    std::deque<delivery> slots_;
    std::vector<domain::queue_item> free_;
};

} // namespace wxcourier::engine
