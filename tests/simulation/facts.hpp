// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is true in the simulated world, whatever the couriers believe: the jobs there are, what WeChat accepted, what
/// the status topic says. The rules of the contract are held against it.
#pragma once

#include "common/time.hpp"
#include "domain/commit_progress.hpp"
#include "domain/kinds.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::simulation {

struct job_fact;

/// What became of a message within one assignment of its partition.
struct assignment_account {
    int deliveries = 0;
    bool unknown = false;   ///< An attempt's outcome was unknown.
    bool concluded = false; ///< A final answer came.
};

/// One message to one recipient.
struct message_fact {
    job_fact* job = nullptr;
    std::size_t index = 0;
    int under_way = 0;                                    ///< Requests without an answer yet.
    int deliveries = 0;                                   ///< How often the recipient got it.
    std::map<std::uint64_t, assignment_account> during{}; ///< By assignment.
    int sent_statuses = 0;                                ///< On the status topic: `sent` …
    int failed_statuses = 0;                              ///< … `failed` or `rejected` …
    int expired_statuses = 0;                             ///< … and `expired`.
    std::map<std::string, int> by_worker{};               ///< Terminal statuses of each process.

    [[nodiscard]] assignment_account within(std::uint64_t assignment) const
    {
        const auto found = during.find(assignment);
        return found == during.end() ? assignment_account{} : found->second;
    }
    [[nodiscard]] int statuses() const { return sent_statuses + failed_statuses + expired_statuses; }
};

/// One record of the jobs topic.
struct job_fact {
    std::size_t number = 0;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    bool valid = true;
    bool fanned_out = false;
    std::uint32_t app = 0;
    std::optional<std::uint64_t> key; ///< Of its record.
    const domain::kind_rule* kind = nullptr;
    std::optional<wall_time> not_before;
    std::optional<wall_time> expire_at;
    std::vector<message_fact> messages;
    int letters = 0; ///< On the dead-letter topic.

    /// All that is to be said about it stands in Kafka.
    [[nodiscard]] bool complete() const
    {
        bool only_failed = false;
        for (const auto& each : messages) {
            if (each.statuses() == 0)
                return false;
            only_failed = only_failed || each.failed_statuses == each.statuses();
        }
        return letters > 0 || !only_failed;
    }
};

/// A commit as the broker keeps it.
struct commit_fact {
    std::int64_t next_offset = 0;
    std::string metadata;
    domain::commit_progress progress;

    [[nodiscard]] bool covers(const message_fact& message) const
    {
        const auto offset = message.job->offset;
        if (offset < next_offset || contains(progress.finished, offset))
            return true;
        const auto told = partials();
        return std::any_of(told.begin(), told.end(), [&](const domain::partial_job* partial) {
            return partial->offset == offset && contains(partial->finished, static_cast<std::int64_t>(message.index));
        });
    }

    /// The jobs with recipients of which it tells; valid as long as this is.
    [[nodiscard]] std::vector<const domain::partial_job*> partials() const
    {
        std::vector<const domain::partial_job*> told;
        if (progress.partial)
            told.push_back(&*progress.partial);
        for (const auto& each : progress.further)
            told.push_back(&each);
        return told;
    }

    static bool contains(const std::vector<domain::index_range>& ranges, std::int64_t value)
    {
        for (const auto& range : ranges)
            if (range.first <= value && value <= range.last)
                return true;
        return false;
    }
};

/// All jobs, by their number and by their place.
struct facts {
    std::deque<job_fact> jobs;
    std::map<std::int32_t, std::map<std::int64_t, job_fact*>> by_place;
    /// The highest offset of each partition's key of which something was sent.
    std::map<std::pair<std::int32_t, std::uint64_t>, std::int64_t> furthest_sent;
    /// By app: when its rate has made up for all that the group has sent.
    std::map<std::uint32_t, steady_time> rate_free_at;

    /// `o<job>-<index>`: how recipients are named.
    [[nodiscard]] message_fact& message(std::string_view openid)
    {
        const auto dash = openid.find('-');
        const auto job = std::stoul(std::string(openid.substr(1, dash - 1)));
        const auto index = std::stoul(std::string(openid.substr(dash + 1)));
        return jobs.at(job).messages.at(index);
    }
};

} // namespace wxcourier::simulation
