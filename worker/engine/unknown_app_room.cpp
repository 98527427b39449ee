// SPDX-License-Identifier: Apache-2.0
#include "engine/unknown_app_room.hpp"

#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

std::size_t size_of(const job_in_progress& record)
{
    return record.record.value ? record.record.value->size() : 0;
}

} // namespace

unknown_app_room::unknown_app_room(clock& time, metrics_registry& metrics)
    : time_(time), gauge_(metrics["wxcourier_unknown_app_waiting"].with())
{
}

bool unknown_app_room::keep(const std::shared_ptr<job_in_progress>& record, const std::string& app)
{
    const auto known = names_.size();
    const auto until = names_.on_seen(app, time_.now());
    auto& of_partition = of_partition_[record->assignment];
    if (until <= time_.now() || waiting_.size() >= most_jobs || of_partition >= most_of_a_partition ||
        bytes_ + size_of(*record) > most_bytes)
        return false;
    if (names_.size() > known)
        log::warn("intake", "a job's app is not known here; such jobs wait for a minute, and are rejected then",
                  {{"app", app}});
    waiting_.push_back({record, app, until});
    ++of_partition;
    bytes_ += size_of(*record);
    show();
    return true;
}

template <typename F>
std::vector<std::shared_ptr<job_in_progress>> unknown_app_room::take(F wanted)
{
    std::vector<std::shared_ptr<job_in_progress>> taken;
    for (auto each = waiting_.begin(); each != waiting_.end();) {
        if (!wanted(*each)) {
            ++each;
            continue;
        }
        bytes_ -= size_of(*each->record);
        if (--of_partition_[each->record->assignment] == 0)
            of_partition_.erase(each->record->assignment);
        taken.push_back(std::move(each->record));
        each = waiting_.erase(each);
    }
    show();
    return taken;
}

std::vector<std::shared_ptr<job_in_progress>> unknown_app_room::take_known(const std::string& app)
{
    names_.forget(app);
    return take([&app](const waiting& each) { return each.app == app; });
}

std::vector<std::shared_ptr<job_in_progress>> unknown_app_room::take_overdue()
{
    return take([now = time_.now()](const waiting& each) { return each.until <= now; });
}

void unknown_app_room::let_go(const std::vector<assignment_id>& ids)
{
    take([&ids](const waiting& each) {
        return std::find(ids.begin(), ids.end(), each.record->assignment) != ids.end();
    });
    for (const auto id : ids)
        of_partition_.erase(id);
}

void unknown_app_room::show()
{
    gauge_.set(static_cast<double>(waiting_.size()));
}

} // namespace wxcourier::engine
