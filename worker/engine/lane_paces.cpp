// SPDX-License-Identifier: Apache-2.0
#include "engine/lane_paces.hpp"

#include "common/log.hpp"
#include "domain/kinds.hpp"

#include <string>
#include <utility>

namespace wxcourier::engine {
namespace {

std::string kind_name(domain::lane where)
{
    return std::string(domain::all_kinds()[where.call].name);
}

} // namespace

lane_paces::lane_paces(domain::send_queue& queue, clock& time, metrics_registry& metrics)
    : queue_(queue), time_(time), pace_(metrics["wxcourier_pace"]), reason_(metrics["wxcourier_pace_reason"]),
      lowered_(metrics["wxcourier_pace_lowered_total"])
{
    // The ceiling moves without a word to anybody here.
    metrics.before_exposition([this] {
        for (domain::app_index app = 0; app < apps_.size(); ++app)
            for (std::uint32_t call = 0; call < apps_[app].lanes.size(); ++call)
                if (const auto& each = apps_[app].lanes[call]; each.gauge != nullptr)
                    each.gauge->set(queue_.rate(app) * each.pace.fraction());
    });
}

void lane_paces::add_app(std::string name)
{
    apps_.push_back({std::move(name), std::vector<lane_state>(domain::all_kinds().size())});
}

void lane_paces::on_answer(domain::lane where, const domain::push_reply& reply, steady_time began)
{
    auto& state = apps_[where.app].lanes[where.call];
    const auto rate = queue_.rate(where.app);
    if (state.gauge == nullptr) {
        state.gauge = &pace_.with({apps_[where.app].name, kind_name(where)});
        reason_.with({apps_[where.app].name, kind_name(where), std::string(to_string(state.shown))}).set(1);
    }
    const auto before = state.pace.fraction();
    if (rate > 0 && state.pace.on_answer(reply, began, rate, time_.now()))
        follow(where, before);
}

void lane_paces::on_outage_over(domain::app_index app)
{
    for (std::uint32_t call = 0; call < apps_[app].lanes.size(); ++call) {
        auto& state = apps_[app].lanes[call];
        const auto before = state.pace.fraction();
        if (state.gauge != nullptr && state.pace.on_outage_over(time_.now()))
            follow({app, call}, before);
    }
}

void lane_paces::follow(domain::lane where, double before)
{
    const auto& state = apps_[where.app].lanes[where.call];
    const auto now = state.pace.fraction();
    const auto& app = apps_[where.app].name;
    queue_.set_pace(where, now, time_.now());
    if (now < before) {
        lowered_.with({app, kind_name(where), std::string(to_string(state.pace.reason()))}).add();
        log::warn("sender", "WeChat cannot keep up; the app's call goes slower",
                  {{"app", app},
                   {"kind", kind_name(where)},
                   {"reason", to_string(state.pace.reason())},
                   {"per_second", queue_.rate(where.app) * now},
                   {"instead_of", queue_.rate(where.app) * before}});
    } else if (now >= 1) {
        log::info("sender", "the app's call goes at its configured rate again",
                  {{"app", app}, {"kind", kind_name(where)}, {"per_second", queue_.rate(where.app)}});
    }
    show(where);
}

void lane_paces::show(domain::lane where)
{
    auto& state = apps_[where.app].lanes[where.call];
    const auto reason = state.pace.reason();
    if (reason == state.shown)
        return;
    const auto& app = apps_[where.app].name;
    reason_.with({app, kind_name(where), std::string(to_string(state.shown))}).set(0);
    reason_.with({app, kind_name(where), std::string(to_string(reason))}).set(1);
    state.shown = reason;
}

} // namespace wxcourier::engine
