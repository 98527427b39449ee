// SPDX-License-Identifier: Apache-2.0
/// @file
/// Jobs of apps that this replica does not know yet: kept aside for up to a minute, holding up nobody.
#pragma once

#include "common/metrics.hpp"
#include "domain/unknown_names.hpp"
#include "engine/job_in_progress.hpp"
#include "engine/ports.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// During a rolling change one replica is told of an app before another. Whatever is kept here has begun its offset and
/// is not decoded; nothing behind it waits. Bounded: what does not fit is not kept, and the caller rejects it. Not
/// thread-safe.
class unknown_app_room {
public:
    static constexpr std::size_t most_jobs = 1000;
    static constexpr std::size_t most_bytes = std::size_t{8} * 1024 * 1024;
    /// So many gaps in a partition's finished offsets always fit a commit's metadata, whatever finishes around them.
    static constexpr std::size_t most_of_a_partition = 200;

    unknown_app_room(clock& time, metrics_registry& metrics);

    /// Keeps a record of an app of that name. False: its time is over, or there is no room.
    bool keep(const std::shared_ptr<job_in_progress>& record, const std::string& app);

    /// Gives back what is to be decoded again, in the order of its coming: records of an app that is known now …
    std::vector<std::shared_ptr<job_in_progress>> take_known(const std::string& app);
    /// … and those whose time is over.
    std::vector<std::shared_ptr<job_in_progress>> take_overdue();

    /// Forgets what belongs to these assignments: it is read again, here or elsewhere.
    void let_go(const std::vector<assignment_id>& ids);

    template <typename F>
    void for_each(F each) const
    {
        for (const auto& one : waiting_)
            each(*one.record);
    }

private:
    struct waiting {
        std::shared_ptr<job_in_progress> record;
        std::string app;
        steady_time until;
    };

    template <typename F>
    std::vector<std::shared_ptr<job_in_progress>> take(F wanted);
    void show();

    clock& time_;
    domain::unknown_names names_;
    std::list<waiting> waiting_; ///< In the order of their coming.
    std::map<assignment_id, std::size_t> of_partition_;
    std::size_t bytes_ = 0;
    metric_series& gauge_;
};

} // namespace wxcourier::engine
