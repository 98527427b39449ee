// SPDX-License-Identifier: Apache-2.0
#include "engine/key_order.hpp"

#include <functional>
#include <string>
#include <utility>

namespace wxcourier::engine {

bool key_order::enter(const std::shared_ptr<job_in_progress>& job)
{
    if (!job->record.key)
        return true;
    auto& of = partitions_[job->assignment];
    const std::uint64_t key = std::hash<std::string>{}(*job->record.key);
    const auto taken = of.keys.find(key);
    if (taken == slots::none) {
        job->key_slot = of.keys.make(key);
        return true;
    }
    if (free_.empty()) {
        free_.push_back(static_cast<domain::queue_item>(jobs_.size()));
        chains_.make_room(free_.back());
        jobs_.emplace_back();
    }
    const auto number = free_.back();
    free_.pop_back();
    jobs_[number] = job;
    chains_.push_back(of.keys[taken], number);
    ++of.waiting;
    ++waiting_;
    return false;
}

void key_order::ended(const job_in_progress& job, std::uint64_t changes)
{
    const auto of = partitions_.find(job.assignment);
    if (of != partitions_.end() && job.key_slot != slots::none)
        of->second.ended.push_back({changes, job.key_slot});
}

std::shared_ptr<job_in_progress> key_order::next(assignment_id id, std::uint64_t committed)
{
    const auto found = partitions_.find(id);
    if (found == partitions_.end())
        return nullptr;
    auto& of = found->second;
    if (!of.put_back.empty()) {
        auto job = std::move(of.put_back.front());
        of.put_back.pop_front();
        return job;
    }
    while (!of.ended.empty() && of.ended.front().changes <= committed) {
        const auto key = of.ended.front().key;
        of.ended.pop_front();
        auto& line = of.keys[key];
        if (line.empty()) {
            of.keys.erase(key);
            continue;
        }
        const auto number = chains_.pop_front(line);
        free_.push_back(number);
        --of.waiting;
        --waiting_;
        auto job = std::exchange(jobs_[number], nullptr);
        job->key_slot = key;
        return job;
    }
    return nullptr;
}

void key_order::put_back(std::shared_ptr<job_in_progress> job)
{
    auto& of = partitions_[job->assignment];
    of.put_back.push_front(std::move(job));
}

void key_order::forget(assignment_id id)
{
    const auto found = partitions_.find(id);
    if (found == partitions_.end())
        return;
    found->second.keys.for_each([this](domain::item_list& line) {
        while (!line.empty()) {
            const auto number = chains_.pop_front(line);
            jobs_[number] = nullptr;
            free_.push_back(number);
        }
    });
    waiting_ -= found->second.waiting;
    partitions_.erase(found);
}

std::size_t key_order::waiting(assignment_id id) const noexcept
{
    const auto found = partitions_.find(id);
    return found == partitions_.end() ? 0 : found->second.waiting;
}

} // namespace wxcourier::engine
