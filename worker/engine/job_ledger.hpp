// SPDX-License-Identifier: Apache-2.0
/// @file
/// The jobs in memory: admits their messages or has them wait on a delayed topic, takes the messages' ends, and
/// finishes a job's offset when all that is to be said about it stands in Kafka.
#pragma once

#include "common/metrics.hpp"
#include "engine/delayed_jobs.hpp"
#include "engine/delivery_store.hpp"
#include "engine/key_order.hpp"
#include "engine/known_sources.hpp"
#include "engine/memory_shares.hpp"
#include "engine/offset_committer.hpp"
#include "engine/options.hpp"
#include "engine/sender_pool.hpp"
#include "engine/status_reporter.hpp"

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace wxcourier::engine {

class operator_control;

/// Keeps the account of every job from its admission to its finished offset. Not thread-safe.
class job_ledger final : public sender_pool::listener {
public:
    /// @param on_room  called when a message or job has gone, so that more may be read.
    job_ledger(const engine_options& options, delivery_store& deliveries, domain::send_queue& queue,
               offset_committer& committer, status_reporter& reporter, memory_budget& memory, memory_shares& shares,
               delayed_jobs& delayed, clock& time, metrics_registry& metrics, std::function<void()> on_room);

    /// The pool and the ledger know each other; set once, before the first job.
    void set_pool(sender_pool& pool) { pool_ = &pool; }

    /// The concurrency of the apps has changed, or there is another app.
    void follow_concurrency() { in_flight_limit_ = in_flight_limit(options_); }

    /// Whether another record may be read.
    [[nodiscard]] bool has_room() const noexcept;
    /// So many are worth it.
    [[nodiscard]] std::size_t worth_reading() const
    {
        return shares_.worth_reading(queue_, committer_.at_risk(), in_flight_limit_);
    }
    /// Whether another record of this partition may be read.
    [[nodiscard]] bool has_room(const offset_committer::partition& partition) const noexcept;

    /// Takes a job on: its messages come into memory, or it moves to a delayed topic, or, where it can do neither yet,
    /// its partition holds it and is not read on.
    void admit(const std::shared_ptr<job_in_progress>& job, const domain::partial_job* restored);
    /// Tries again with the job that the partition holds. False: still no room.
    bool admit_held(offset_committer::partition& partition);
    /// `ordering: key`: begins the jobs whose predecessors have ended for good. Called when a commit may have been
    /// acknowledged, or room made.
    void go_on_with_keys();
    /// Jobs that wait for an earlier one of their key.
    [[nodiscard]] std::size_t waiting_for_keys() const noexcept { return keys_.waiting(); }
    /// A record was no job.
    /// @param offset  of the record; `source` is where it was first read.
    void reject(const original_record& record, assignment_id assignment, std::int64_t offset,
                const domain::source_position& source, const codec::rejection& why);

    /// Lets go of everything of these assignments that is not under way: it is read again, here or elsewhere.
    void let_go(const std::vector<assignment_id>& ids);
    /// Messages of these assignments that are under way, or on their way to Kafka.
    [[nodiscard]] std::size_t busy(const std::vector<assignment_id>& ids);

    /// Publishes `deferred` for messages whose wait is long and not reported yet, and moves what waits too long for
    /// memory. Called about once a second.
    void look_after_waits(const credentials& tokens, const operator_control& operators);

    void on_ended(domain::queue_item item, domain::job_state state, std::string_view reason) override;
    void on_waiting(domain::queue_item item, steady_time ready_at) override;
    asio::awaitable<bool> commit_first(domain::queue_item item) override;
    [[nodiscard]] bool may_send(std::size_t under_way) const override;
    [[nodiscard]] bool is_ours(domain::queue_item item) override;

private:
    enum class placed : std::uint8_t { taken, no_room };

    void restore(job_in_progress& job, const domain::partial_job* restored) const;
    placed place(const std::shared_ptr<job_in_progress>& job);
    bool wait_for_key(const std::shared_ptr<job_in_progress>& job);
    void begin(const std::shared_ptr<job_in_progress>& job);
    [[nodiscard]] bool has_place(const job_in_progress& job) const;
    [[nodiscard]] bool is_short_of_memory(const job_in_progress& job) const;
    [[nodiscard]] bool holds_up_others(const job_in_progress& job, bool waits);
    [[nodiscard]] std::string_view stopped_for(const job_in_progress& job) const;
    [[nodiscard]] delayed_jobs::wait own_wait(const job_in_progress& job) const;
    [[nodiscard]] delayed_jobs::wait known_wait(const job_in_progress& job) const;
    [[nodiscard]] delayed_jobs::wait open_wait(const job_in_progress& job, std::string_view reason) const;
    [[nodiscard]] std::optional<delayed_jobs::wait> too_long_a_wait(domain::queue_item item);

    void report_deferrals(const credentials& tokens, const operator_control& operators);
    void move_what_waits();
    void measure_paces();
    void move(const std::shared_ptr<job_in_progress>& job, const delayed_jobs::wait& wait,
              const domain::index_set& told = {});
    void move_from_memory(const std::vector<domain::queue_item>& messages, const delayed_jobs::wait& wait);
    void report_wait(job_in_progress& job, const delayed_jobs::wait& wait, const domain::index_set& told);
    void on_moved(const std::shared_ptr<job_in_progress>& job, delayed_jobs::outcome came);
    void keep_history(const delivery& message);
    void restore_history(delivery& message);

    void admit_messages(const std::shared_ptr<job_in_progress>& job);
    void on_acknowledged(domain::queue_item item);
    static void note_failure(delivery& failed);
    void end(const std::shared_ptr<job_in_progress>& job);
    void finish(const std::shared_ptr<job_in_progress>& job);
    [[nodiscard]] bool would_repeat(const delivery& ended) const;
    void drop(domain::queue_item item);
    std::shared_ptr<job_in_progress> free(domain::queue_item item);
    void add_busy(assignment_id id, std::ptrdiff_t change);
    [[nodiscard]] bool is_going(assignment_id id);
    bool is_waited_for(assignment_id where);
    void count_end(const job_in_progress& job, domain::job_state state, std::string_view reason);

    const engine_options& options_;
    delivery_store& deliveries_;
    domain::send_queue& queue_;
    offset_committer& committer_;
    status_reporter& reporter_;
    memory_budget& memory_;
    memory_shares& shares_;
    delayed_jobs& delayed_;
    known_sources sources_;
    clock& time_;
    key_order keys_;
    sender_pool* pool_ = nullptr;
    std::size_t in_flight_limit_;
    std::function<void()> on_room_;
    metric_family& finished_;
    std::map<std::pair<domain::app_index, std::uint32_t>, metric_series*> sent_; ///< Of `finished_`, by lane.
    metric_family& rejected_;
    metric_series& copies_;
};

} // namespace wxcourier::engine
