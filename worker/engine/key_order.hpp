// SPDX-License-Identifier: Apache-2.0
/// @file
/// `delivery.ordering: key`: which job of a Kafka key is the one that may be worked on, and which ones wait behind it.
#pragma once

#include "domain/item_chains.hpp"
#include "domain/keyed_slots.hpp"
#include "engine/job_in_progress.hpp"
#include "engine/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace wxcourier::engine {

/// The keys of each assignment that a job is under way for, and the jobs that wait for it, in their records' order. A
/// job gives its key on when it has ended and a commit says so: were it sent again after a crash, it would come after
/// the next one (docs/adr/0012). Keys are told apart by a 64-bit hash; two with one hash wait for each other, which
/// does no harm. Not thread-safe.
class key_order {
public:
    /// A job has been read; jobs of an assignment enter in their records' order. True: it may begin, since it has no
    /// key or nobody has its key. False: it waits.
    bool enter(const std::shared_ptr<job_in_progress>& job);

    /// A job that began has ended. @param changes  of its partition, itself included: see `next`.
    void ended(const job_in_progress& job, std::uint64_t changes);

    /// A job that may begin now. Null: none.
    /// @param committed  the partition's changes that stand in an acknowledged commit.
    [[nodiscard]] std::shared_ptr<job_in_progress> next(assignment_id id, std::uint64_t committed);
    /// The one that `next` gave cannot begin yet; `next` gives it again.
    void put_back(std::shared_ptr<job_in_progress> job);

    /// The assignment goes: its waiting jobs are read again by whoever has it next.
    void forget(assignment_id id);

    /// Jobs that wait, over all assignments and of one.
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    [[nodiscard]] std::size_t waiting(assignment_id id) const noexcept;

private:
    using slots = domain::keyed_slots<domain::item_list>;

    struct ended_job {
        std::uint64_t changes;
        slots::slot key;
    };
    struct partition {
        slots keys;                  ///< Those that a job is under way for, with the jobs that wait.
        std::deque<ended_job> ended; ///< Whose ends are not known to be committed; by `changes`.
        std::deque<std::shared_ptr<job_in_progress>> put_back;
        std::size_t waiting = 0;
    };

    std::map<assignment_id, partition> partitions_;
    domain::item_chains chains_;
    std::vector<std::shared_ptr<job_in_progress>> jobs_; ///< Those that wait, by their number in the chains.
    std::vector<domain::queue_item> free_;               ///< Numbers that nobody has.
    std::size_t waiting_ = 0;
};

} // namespace wxcourier::engine
