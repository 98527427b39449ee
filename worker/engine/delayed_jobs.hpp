// SPDX-License-Identifier: Apache-2.0
/// @file
/// The delayed topics: jobs go there to wait, and come back when it is time to look at them.
#pragma once

#include "common/metrics.hpp"
#include "domain/delay_plan.hpp"
#include "engine/job_in_progress.hpp"
#include "engine/offset_committer.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/status_reporter.hpp"
#include "engine/task_group.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// Reads each partition of a delayed topic as far as its records are due: the head is kept here until then, and nothing
/// behind it is polled. Writes a job to a delayed topic in three steps, so that after a crash it is never in neither
/// place, and known where it may be in both: a commit says that it may stand there; it is written; its offset finishes
/// once that is acknowledged (by whoever called `move`). Not thread-safe.
class delayed_jobs {
public:
    /// A job that is to be written.
    struct wait {
        wall_time until{};
        domain::wait_end end = domain::wait_end::open;
        std::string_view reason; ///< A word of the status topic; empty: for memory. Lives for the whole program.
    };

    /// What became of a move.
    enum class outcome : std::uint8_t {
        stands,    ///< The record stands on the topic.
        too_large, ///< The broker refuses it for its size.
        too_late,  ///< It would come back after its time: the clock was set, or the process stood still meanwhile.
    };

    /// @param on_due  called when a head has become due: there is something to poll.
    delayed_jobs(const engine_options& options, job_source& source, offset_committer& committer,
                 status_reporter& reporter, clock& time, metrics_registry& metrics, task_group& tasks,
                 std::function<void()> on_due);

    /// How many partitions each delayed topic has.
    void know_partitions(std::map<std::string, std::int32_t> partitions) { partitions_ = std::move(partitions); }

    /// Whether jobs go there at all.
    [[nodiscard]] bool moves() const noexcept { return !options_.delayed.topics.empty() && options_.delayed.moves; }
    [[nodiscard]] const domain::delay_plan& plan() const noexcept { return plan_; }
    /// Which of the delayed topics that is. Empty: none.
    [[nodiscard]] std::optional<std::size_t> index_of(const std::string& topic) const;

    /// The next record of a delayed topic's partition, if it is due.
    std::optional<inbound_record> poll(assignment_id assignment, std::size_t topic);

    /// Has a job wait on a delayed topic. The caller keeps its partition busy until `done` is called.
    void move(const std::shared_ptr<job_in_progress>& job, const wait& until, std::function<void(outcome)> done);

    /// Forgets the heads of these assignments, and calls `dropped` for each job that has not been written yet.
    void let_go(const std::vector<assignment_id>& ids, const std::function<void(const job_in_progress&)>& dropped);

    /// Jobs that wait for the commit before they are written.
    [[nodiscard]] std::size_t planned() const noexcept { return planned_count_; }

    /// The wall clock may have been set: looks at the heads again. Called about once a second.
    void follow_wall_clock() { alarm_->wake(); }
    /// The loop that knows when a head becomes due; ends after stop().
    asio::awaitable<void> run();
    void stop();

private:
    struct head {
        std::size_t topic = 0;
        wall_time due{};
        inbound_record record;
    };
    struct planned_move {
        std::uint64_t announcement = 0; ///< The change of its partition that a commit has to cover first.
        std::shared_ptr<job_in_progress> job;
        wait until;
        std::function<void(outcome)> done;
    };

    asio::awaitable<void> write_planned(assignment_id assignment);
    void write_some(std::deque<planned_move>& waiting, std::uint64_t covered);
    void write(const planned_move& planned);
    [[nodiscard]] bool comes_too_late(const planned_move& planned, wall_time now) const noexcept;
    [[nodiscard]] std::optional<wall_time> next_due() const;
    [[nodiscard]] std::optional<std::int32_t> partition_of(const std::string& topic,
                                                           const domain::source_position& source) const;

    const engine_options& options_;
    domain::delay_plan plan_;
    job_source& source_;
    offset_committer& committer_;
    status_reporter& reporter_;
    clock& time_;
    task_group& tasks_;
    std::function<void()> on_due_;
    std::map<std::string, std::int32_t> partitions_;
    std::map<assignment_id, head> heads_;
    std::map<assignment_id, std::deque<planned_move>> planned_; ///< One coroutine for each, until it is empty.
    std::size_t planned_count_ = 0;
    std::unique_ptr<alarm> alarm_;
    bool stopping_ = false;
    metric_family& moved_;
    std::vector<metric_series*> returned_; ///< By topic.
};

} // namespace wxcourier::engine
