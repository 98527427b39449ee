// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scripted_source.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace wxcourier::test {

using engine::assignment_id;
using engine::commit_result;

void scripted_source::tell(std::function<void(engine::job_source_listener&)> what)
{
    asio::post(loop_, [this, what = std::move(what)] {
        if (!severed_)
            what(*listener_);
    });
}

assignment_id scripted_source::assign(const std::string& topic, std::int32_t partition)
{
    const auto id = ++last_assignment_;
    auto& from = log_.at(topic, partition);
    engine::partition_assignment told{id, topic, partition, std::nullopt, {}};
    std::int64_t start = 0;
    if (from.committed) {
        start = from.committed->next_offset;
        told.committed = start;
        told.commit_metadata = from.committed->metadata;
    }
    const auto first = std::lower_bound(from.records.begin(), from.records.end(), start,
                                        [](const auto& record, std::int64_t offset) { return record.offset < offset; });
    assigned_[id] = {&from, static_cast<std::size_t>(first - from.records.begin())};
    tell([told](auto& listener) { listener.on_assigned({told}); });
    return id;
}

void scripted_source::revoke(std::vector<assignment_id> going)
{
    tell([going = std::move(going)](auto& listener) { listener.on_revoking(going); });
}

void scripted_source::lose(std::vector<assignment_id> gone)
{
    for (const auto id : gone)
        assigned_.erase(id);
    tell([gone = std::move(gone)](auto& listener) { listener.on_lost(gone); });
}

void scripted_source::tell_of_records()
{
    tell([](auto& listener) { listener.on_records(); });
}

void scripted_source::fail(const std::string& why)
{
    tell([why](auto& listener) { listener.on_source_failed(why); });
}

std::optional<engine::inbound_record> scripted_source::poll(assignment_id assignment)
{
    const auto found = assigned_.find(assignment);
    if (found == assigned_.end() || severed_)
        return std::nullopt;
    auto& [from, next] = found->second;
    const auto& records = from->records;
    if (next >= records.size())
        return std::nullopt;
    auto record = records[next++];
    record.assignment = assignment;
    ++polled;
    return record;
}

std::uint64_t scripted_source::commit(const std::vector<engine::offset_commit>& offsets)
{
    if (severed_)
        return ++last_commit_;
    commits.push_back({++last_commit_, offsets});
    held.push_back(commits.back());
    if (!hold_commits)
        answer_commit();
    return last_commit_;
}

void scripted_source::answer_commit(commit_result result)
{
    answer_commit(std::vector<commit_result>(held.front().offsets.size(), result));
}

void scripted_source::answer_commit(std::vector<commit_result> results)
{
    const auto call = std::move(held.front());
    held.pop_front();
    for (std::size_t i = 0; i < call.offsets.size(); ++i) {
        const auto found = assigned_.find(call.offsets[i].assignment);
        if (found == assigned_.end())
            results[i] = commit_result::rejected;
        if (results[i] == commit_result::committed)
            found->second.from->committed = stored_commit{call.offsets[i].next_offset, call.offsets[i].metadata};
    }
    tell([number = call.number, results = std::move(results)](auto& listener) {
        listener.on_committed(number, results);
    });
}

void scripted_source::release(const std::vector<assignment_id>& going)
{
    for (const auto id : going) {
        assigned_.erase(id);
        released.insert(id);
    }
}

} // namespace wxcourier::test
