// SPDX-License-Identifier: Apache-2.0
/// @file
/// How far each assignment has come, and the commits that say so to Kafka: explicit lists, only the contiguous finished
/// prefix, what has finished beyond it in the metadata.
#pragma once

#include "common/metrics.hpp"
#include "domain/offset_tracker.hpp"
#include "engine/condition.hpp"
#include "engine/job_in_progress.hpp"
#include "engine/ports.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// The assigned partitions and their offsets. Commits `commit_interval` after something finished, sooner when
/// `eager_after` jobs have finished or many wait to move since the last commit, and at once when asked. One commit is
/// under way at a time, so that offsets never go backwards. Not thread-safe.
class offset_committer {
public:
    struct partition {
        std::string topic;
        std::int32_t number = 0;
        domain::offset_tracker tracker;
        std::vector<std::shared_ptr<job_in_progress>> fan_outs; ///< Jobs with recipients under way; by offset.
        std::shared_ptr<job_in_progress> held; ///< A job that has no room: waits, and nothing behind it is read.
        std::set<std::int64_t> moving;         ///< Unfinished offsets whose jobs may stand on a delayed topic.
        std::optional<std::size_t> delayed;    ///< Of a delayed topic: which.
        std::size_t busy = 0;                  ///< Messages in memory, and records on their way to Kafka.
        std::optional<std::pair<std::int64_t, std::string>> committed; ///< The last commit: offset and metadata.
        /// Offsets behind the last one that had finished when the metadata was last measured: they may make it longer.
        std::int64_t unmeasured = 0;
        std::uint64_t changes = 0;           ///< Counts what has finished …
        std::uint64_t changes_in_commit = 0; ///< … as far as the commit under way says it …
        std::uint64_t changes_committed = 0; ///< … and as far as Kafka has it for certain.
        std::size_t at_risk = 0;    ///< Messages sent, which a crash would repeat: in no acknowledged commit yet.
        std::size_t settling = 0;   ///< Those of them that have finished since the last commit.
        std::size_t in_commit = 0;  ///< Those of them that the commit under way covers.
        bool going = false;         ///< Being revoked, or drained: nothing new is taken.
        bool keys_full = false;     ///< As many of its jobs wait for an earlier one of their key as may.
        bool metadata_full = false; ///< The metadata has reached three quarters of the limit.
        bool changed = false;       ///< Something finished since the last commit.
        bool refused = false;       ///< The broker refused the last commit: not ours for long.
        bool too_long_told = false; ///< The log says that the broker keeps too little metadata.
    };

    /// @param may_forget  whether a commit may say less of what has finished than an earlier one when its metadata
    /// would be too long. Without it (at_most_once, where that would send a message twice; order by key, where it would
    /// send it after a later one) the earlier commit stays until all of it fits.
    offset_committer(job_source& source, clock& time, metrics_registry& metrics, milliseconds commit_interval,
                     std::size_t eager_after, bool may_forget);

    /// Changes `eager_after`.
    void commit_after(std::size_t jobs) { eager_after_ = jobs; }

    /// Called when an assignment has begun, or has caught up in a way that lets more be read.
    void on_room(std::function<void()> callback) { on_room_ = std::move(callback); }

    void add(const partition_assignment& assigned);
    /// Forgets an assignment; what finishes for it later is nobody's.
    void remove(assignment_id id);
    /// The partition of an assignment; null when it has ended.
    partition* find(assignment_id id);
    [[nodiscard]] const std::map<assignment_id, partition>& partitions() const noexcept { return partitions_; }

    /// A request was made for a message, and it has ended: until a commit covers it, a crash repeats it.
    void note_sent(assignment_id id);
    /// How many such messages there are, over all partitions.
    [[nodiscard]] std::size_t at_risk() const noexcept { return at_risk_; }

    /// An offset of that assignment has finished, if the assignment still lives.
    /// @param sent  how many of the messages told to `note_sent` finish with it.
    void finish(assignment_id id, std::int64_t offset, std::size_t sent);
    /// A message of the partition's job with recipients has finished.
    void finish_message(assignment_id id, std::size_t sent);
    /// What a commit would say has changed.
    void note_progress(assignment_id id);

    /// From the next commit on it says that this unfinished offset's job may stand on a delayed topic, until it
    /// finishes.
    /// @return which change of the partition that is, at the latest: for `secure`.
    std::uint64_t note_moving(assignment_id id, std::int64_t offset);
    /// It does not stand there, for certain.
    void note_not_moving(assignment_id id, std::int64_t offset);
    /// It stands there: the offset has finished.
    void finish_moved(assignment_id id, std::int64_t offset);

    /// Completes with true when all that was noted and has finished so far in that assignment stands in an acknowledged
    /// commit, with false when the assignment ends, or the engine, before that, or at the deadline.
    asio::awaitable<bool> secure(assignment_id id);
    /// The same for all up to that change.
    asio::awaitable<bool> secure(assignment_id id, std::uint64_t change, std::optional<steady_time> deadline);

    /// The source's answer to a commit.
    void on_committed(std::uint64_t commit, const std::vector<commit_result>& results);

    /// Commits what has finished, now, and completes when the commits of these assignments are acknowledged, refused,
    /// or the deadline comes. True: nothing finished is left uncommitted.
    asio::awaitable<bool> flush(std::vector<assignment_id> ids, steady_time deadline);

    /// The loop that keeps the interval; ends after stop().
    asio::awaitable<void> run();
    void stop();

private:
    void begin_commit();
    [[nodiscard]] bool is_eager() const noexcept;
    std::optional<offset_commit> next_commit(assignment_id id, partition& from);
    partition* finish_offset(assignment_id id, std::int64_t offset);
    void settle(partition& of, std::size_t messages);
    void note_too_long(partition& of) const;
    [[nodiscard]] bool settled(const std::vector<assignment_id>& ids) const;

    job_source& source_;
    clock& time_;
    milliseconds interval_;
    std::size_t eager_after_;
    bool may_forget_;
    std::unique_ptr<alarm> due_;
    condition settled_;
    std::function<void()> on_room_ = [] {};
    std::map<assignment_id, partition> partitions_;
    std::size_t at_risk_ = 0;
    std::size_t finished_since_commit_ = 0;
    std::size_t announced_since_commit_ = 0; ///< Jobs that are about to move.
    std::optional<steady_time> commit_at_;
    std::optional<steady_time> not_before_; ///< After a failure: the earliest next try.
    std::optional<std::uint64_t> under_way_;
    std::vector<offset_commit> committing_;
    std::vector<assignment_id> without_metadata_; ///< Refused for the metadata's size: the next commit goes without.
    bool stopping_ = false;
    metric_family& commits_;
    metric_series& metadata_ignored_;
};

} // namespace wxcourier::engine
