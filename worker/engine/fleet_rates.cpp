// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet_rates.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

namespace wxcourier::engine {
namespace {

/// Between two measurements, about: look() comes every tenth of a second.
constexpr milliseconds measure_interval{90};
/// A member that has been gone for so long is forgotten.
constexpr seconds forget_after{60};
/// Of the unit of domain::rate_amount.
constexpr double in_one = 1000;

domain::rate_amount amount_of(double per_second, double burst)
{
    return {static_cast<std::int64_t>(std::floor(per_second * in_one)),
            static_cast<std::int64_t>(std::floor(burst * in_one))};
}

} // namespace

fleet_rates::fleet_rates(const engine_options& options, fleet_voice& voice, domain::send_queue& queue, clock& time,
                         metrics_registry& metrics, std::function<void()> on_more)
    : options_(options), voice_(voice), queue_(queue), time_(time), on_more_(std::move(on_more)),
      borrower_(voice.member(), options.fleet->seat), lent_gauge_(metrics["wxcourier_rate_limit"]),
      wanted_gauge_(metrics["wxcourier_rate_wanted"])
{
    for (const auto& each : options.apps)
        add_app(each);
}

void fleet_rates::add_app(const app_options& added)
{
    const auto index = static_cast<domain::app_index>(apps_.size());
    apps_.push_back({added.name,
                     amount_of(added.limits.rate_per_second, added.limits.burst),
                     {},
                     &lent_gauge_.with({added.name}),
                     &wanted_gauge_.with({added.name})});
    by_name_[added.name].push_back(index);
    queue_.lend_rate(index, 0, 0, steady_time::min(), time_.now());
    told_all_ = false;
}

void fleet_rates::set_limit(domain::app_index app, double per_second, double burst)
{
    apps_[app].limit = amount_of(per_second, burst);
    told_all_ = false;
    look();
}

void fleet_rates::on_assigned(const std::vector<partition_assignment>& assigned)
{
    for (const auto& each : assigned)
        held_.emplace(each.id, each.topic);
}

void fleet_rates::on_gone(const std::vector<assignment_id>& gone)
{
    for (const auto id : gone)
        held_.erase(id);
}

std::int64_t fleet_rates::weight_of(const std::string& app) const
{
    const auto carries = [this, &app](const auto& held) {
        const auto restricted = options_.topic_apps.find(held.second);
        return restricted == options_.topic_apps.end() ||
               std::find(restricted->second.begin(), restricted->second.end(), app) != restricted->second.end();
    };
    return std::max<std::int64_t>(1, std::count_if(held_.begin(), held_.end(), carries));
}

// ---------------------------------------------------------------------------------------------------------------- out

void fleet_rates::look()
{
    if (stopping_)
        return;
    const auto now = time_.now();
    if (measured_ == steady_time::min() || now - measured_ >= measure_interval)
        measure(now);
    speak(now);
    lend(now);
    forget_the_dead(now);
}

void fleet_rates::on_work()
{
    const auto now = time_.now();
    if (stopping_ || borrower_.right_until() > now || borrower_.waits())
        return;
    measure(now);
    speak(now);
}

void fleet_rates::measure(steady_time now)
{
    measured_ = now;
    std::vector<domain::rate_demand> demands;
    for (domain::app_index app = 0; app < apps_.size(); ++app) {
        auto& state = apps_[app];
        const auto use = queue_.use_of_rate(app, now);
        const auto wanted = state.meter.wanted(use.taken, use.ready, now);
        state.wanted->set(static_cast<double>(wanted) / in_one);
        if (wanted == 0)
            continue;
        const bool once = by_name_.at(state.name).size() == 1;
        const auto known = once ? demands.end()
                                : std::find_if(demands.begin(), demands.end(),
                                               [&state](const auto& each) { return each.app == state.name; });
        if (known == demands.end())
            demands.push_back({state.name, wanted, weight_of(state.name)});
        else
            known->wanted += wanted;
    }
    borrower_.on_demands(std::move(demands), now);
}

void fleet_rates::speak(steady_time now)
{
    apply(now); // a report says that what was read is in force
    if (voice_.caught_up())
        if (const auto report = borrower_.report(now))
            report_ = voice_.say(*report);
}

void fleet_rates::lend(steady_time now)
{
    if (!voice_.leads())
        return;
    std::vector<domain::rate_lender::limit> limits;
    for (domain::app_index app = 0; app < apps_.size(); ++app)
        if (by_name_.at(apps_[app].name).back() == app)
            limits.push_back({apps_[app].name, apps_[app].limit});
    if (const auto table = lender_.table(book_, limits, voice_.term(), now))
        voice_.say(*table);
}

void fleet_rates::forget_the_dead(steady_time now)
{
    std::vector<std::string> dead;
    for (const auto& [name, each] : book_.members())
        if (each.gone && now - each.heard > forget_after)
            dead.push_back(name);
    for (const auto& each : dead) {
        book_.forget(each);
        spoken_for_.erase(each);
        if (voice_.leads())
            voice_.forget(domain::report_key(each));
    }
}

/// Who had this process's seat before it is dead and uses nothing any more: this says so, in its name, and its share
/// need not wait until it has been silent for long. A last report of it that comes late has the same number and
/// counts for nothing, or it comes first and is followed by these words once more.
void fleet_rates::speak_for_the_dead()
{
    const auto& seat = options_.fleet->seat;
    if (seat.empty() || stopping_ || !voice_.caught_up())
        return;
    for (const auto& [name, each] : book_.members()) {
        if (each.gone || each.seat != seat || name == voice_.member())
            continue;
        auto& said = spoken_for_[name];
        if (said > each.report)
            continue;
        said = each.report + 1;
        voice_.say(domain::rate_report_record{name, said, each.applied, true, {}, seat});
    }
}

void fleet_rates::on_acknowledged(std::uint64_t ticket)
{
    if (ticket != report_)
        return;
    report_ = 0;
    borrower_.on_report_taken();
}

void fleet_rates::on_stopping()
{
    stopping_ = true;
    voice_.say(borrower_.leave());
    apply(time_.now());
}

// ----------------------------------------------------------------------------------------------------------------- in

void fleet_rates::on_fleet_record(const domain::fleet_record& record)
{
    const auto now = time_.now();
    if (const auto* const report = std::get_if<domain::rate_report_record>(&record)) {
        book_.on_report(*report, now);
        if (report->member == voice_.member())
            borrower_.on_own_report(report->number, now);
        else
            speak_for_the_dead();
    } else if (const auto* const table = std::get_if<domain::rate_table_record>(&record)) {
        if (voice_.accepts(table->version.term, "") && book_.on_table(*table))
            borrower_.on_table(*table);
        lender_.on_read(table->version);
    } else {
        return;
    }
    if (stopping_ || !voice_.caught_up())
        return;
    speak(now);
    lend(now);
}

void fleet_rates::on_caught_up()
{
    speak_for_the_dead();
    look();
}

void fleet_rates::on_lead_changed()
{
    lender_.on_lead_changed();
    if (!stopping_)
        lend(time_.now());
}

void fleet_rates::apply(steady_time now)
{
    if (told_all_ && applied_ == borrower_.changes())
        return;
    applied_ = borrower_.changes();
    told_all_ = true;
    for (domain::app_index app = 0; app < apps_.size(); ++app) {
        auto& state = apps_[app];
        const auto share = borrower_.share(state.name);
        // Where the leader's configuration is not this one's, the lower holds.
        const auto of_that_name = static_cast<double>(by_name_.at(state.name).size());
        const auto rate = static_cast<double>(std::min(share.rate, state.limit.rate)) / in_one / of_that_name;
        const auto burst = static_cast<double>(std::min(share.burst, state.limit.burst)) / in_one / of_that_name;
        queue_.lend_rate(app, rate, burst, borrower_.right_until(), now);
        state.lent->set(rate);
    }
    if (!stopping_)
        on_more_();
}

} // namespace wxcourier::engine
