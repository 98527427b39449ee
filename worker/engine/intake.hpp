// SPDX-License-Identifier: Apache-2.0
/// @file
/// Records → jobs: reads the assigned partitions in turn, as far as there is room, and decodes what it reads.
#pragma once

#include "codec/job_codec.hpp"
#include "common/metrics.hpp"
#include "engine/delayed_jobs.hpp"
#include "engine/job_ledger.hpp"
#include "engine/memory_shares.hpp"
#include "engine/offset_committer.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/unknown_app_room.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// Backpressure in one place: what is not read here stays in the source, which stops fetching by itself. Not
/// thread-safe.
class intake {
public:
    intake(const engine_options& options, job_source& source, offset_committer& committer, job_ledger& ledger,
           delayed_jobs& delayed, memory_budget& memory, memory_shares& shares, clock& time, metrics_registry& metrics);

    /// Reads while there is room, at most `most` records. False: there may be more to read at once.
    bool read(std::size_t most);

    /// An app's jobs are taken from now on. A job of an app of that name before it is not.
    void add_app(domain::app_index app);
    /// Jobs of that name are of an app that is not known.
    void remove_app(const std::string& name);

    /// Whether a job of the app is in memory.
    [[nodiscard]] bool in_use(domain::app_index app) const { return presence_[app].use_count() > 1; }

    /// Rejects the jobs of unknown apps whose time is over. Called about once a second.
    void give_up_on_unknown_apps();
    /// Forgets the jobs of these assignments that were never admitted.
    void let_go(const std::vector<assignment_id>& ids);
    /// Calls `each(job)` for them.
    template <typename F>
    void for_each_waiting(F each) const
    {
        unknown_.for_each(each);
        for (const auto& job : known_now_)
            each(*job);
    }

    /// Reads nothing more.
    void stop() { stopped_ = true; }

private:
    struct topic_state {
        codec::job_rules rules;
        metric_series* read = nullptr; ///< Counts its records.
    };

    void follow_apps();
    [[nodiscard]] std::optional<inbound_record> poll(assignment_id assignment, const offset_committer::partition& from);
    void take(offset_committer::partition& from, inbound_record record);
    [[nodiscard]] topic_state& state_of(const std::string& topic);
    /// Decodes a record that has begun: admits its job, rejects it, or keeps it aside.
    void judge(const std::shared_ptr<job_in_progress>& job, bool may_wait);
    void admit_known();
    void fill(job_in_progress& job, codec::decoded_job decoded);
    void count_decoded(domain::lane where);

    const engine_options& options_;
    job_source& source_;
    offset_committer& committer_;
    job_ledger& ledger_;
    delayed_jobs& delayed_;
    memory_budget& memory_;
    memory_shares& shares_;
    clock& time_;
    metrics_registry& metrics_;
    std::map<std::string, topic_state> topics_;
    std::map<std::string, domain::app_index> app_index_;
    std::vector<std::shared_ptr<const void>> presence_; ///< By app: what its jobs hold a share of.
    std::vector<std::vector<metric_series*>> decoded_;  ///< By app and kind; null until the first.
    unknown_app_room unknown_;
    std::deque<std::shared_ptr<job_in_progress>> known_now_; ///< Their app has come; they go before what is polled.
    assignment_id next_ = 0; ///< Where the next turn begins, so that no partition is always last.
    bool stopped_ = false;
};

} // namespace wxcourier::engine
