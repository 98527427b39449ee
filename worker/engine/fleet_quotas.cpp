// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet_quotas.hpp"

#include "common/log.hpp"
#include "domain/calendar.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wxcourier::engine {
namespace {

/// Calls named in one report.
constexpr std::size_t most_calls_in_a_report = 500;
/// A call that was not used for so long, of an app without messages, is not looked at.
constexpr seconds calm_after{60};
/// The leader says this often from where on today's tables stand …
constexpr seconds mark_interval{60};
/// … and says those again that stand further back than this: fewer records than every follower reads at its start.
constexpr std::int64_t repeat_behind = 10'000;

/// A dry run uses up nothing of WeChat's, and nothing of what is counted for real sends.
constexpr std::string_view dry_run_mark = "dry_run/";

/// Times that are computed anew from two clocks differ a little each time.
constexpr milliseconds close{500};

void keep_if_close(std::optional<steady_time>& wanted, const std::optional<steady_time>& before)
{
    if (wanted && before && std::chrono::abs(*wanted - *before) < close)
        wanted = before;
}

} // namespace

fleet_quotas::fleet_quotas(const engine_options& options, fleet_voice& voice, surroundings with,
                           std::function<void()> on_more)
    : options_(options), voice_(voice), with_(with), on_more_(std::move(on_more)),
      day_(domain::day_in_china(with.time.wall_now())), used_gauge_(with.metrics["wxcourier_quota_used"]),
      left_gauge_(with.metrics["wxcourier_quota_left"]), limit_gauge_(with.metrics["wxcourier_quota_limit"]),
      questions_(with.metrics["wxcourier_quota_questions_total"])
{
    for (domain::app_index app = 0; app < options.apps.size(); ++app)
        add_app(app);
}

// ------------------------------------------------------------------------------------------------------------- calls

std::string fleet_quotas::call_name(const domain::kind_rule& kind) const
{
    return (options_.dry_run ? std::string(dry_run_mark) : std::string()) + std::string(kind.name);
}

/// Of that name; it is made when there is none.
fleet_quotas::call_state& fleet_quotas::named(const std::string& app, const std::string& call)
{
    auto& known = by_name_[app + '/' + call];
    if (known == nullptr) {
        known = &calls_.emplace_back();
        known->app = app;
        known->call = call;
    }
    return *known;
}

/// As others name it.
fleet_quotas::call_state& fleet_quotas::call_of(const std::string& app, const std::string& call)
{
    auto& known = named(app, call);
    if (known.where)
        return known;
    const auto kinds = domain::all_kinds();
    for (domain::app_index index = 0; index < options_.apps.size(); ++index)
        if (const auto& each = options_.apps[index]; !each.removed && each.name == app)
            for (std::uint32_t kind = 0; kind < kinds.size(); ++kind)
                if (kinds[kind].type == each.type && call_name(kinds[kind]) == call)
                    bind(known, {index, kind});
    return known;
}

/// Of a lane of the queue; it is made when there is none. Null: its app was taken out of the configuration.
fleet_quotas::call_state* fleet_quotas::find_or_make(domain::lane where)
{
    auto* found = find(where);
    if (found != nullptr || options_.apps[where.app].removed)
        return found;
    auto& known = named(options_.apps[where.app].name, call_name(domain::all_kinds()[where.call]));
    bind(known, where);
    return &known;
}

fleet_quotas::call_state* fleet_quotas::find(domain::lane where)
{
    if (where.app >= by_place_.size() || where.call >= by_place_[where.app].size())
        return nullptr;
    return by_place_[where.app][where.call];
}

/// Joins it to the queue's lane.
void fleet_quotas::bind(call_state& state, domain::lane where)
{
    if (state.where) { // of another app of that name: what it has in memory still goes
        with_.queue.set_budget(*state.where, {}, with_.time.now());
        by_place_[state.where->app][state.where->call] = nullptr;
        state.today->visited = false;
        state.today = nullptr;
        state.applied = {};
    }
    if (by_place_.size() <= where.app)
        by_place_.resize(where.app + 1);
    by_place_[where.app].resize(domain::all_kinds().size());
    by_place_[where.app][where.call] = &state;
    state.where = where;
    state.kind = &domain::all_kinds()[where.call];
    visit(state, day_);
    apply(state, with_.time.now());
}

void fleet_quotas::add_app(domain::app_index app)
{
    const auto& options = options_.apps[app];
    const auto kinds = domain::all_kinds();
    for (std::uint32_t kind = 0; kind < kinds.size(); ++kind) {
        if (kinds[kind].type != options.type)
            continue;
        const auto known = by_name_.find(options.name + '/' + call_name(kinds[kind]));
        if (known != by_name_.end() && find({app, kind}) != known->second)
            bind(*known->second, {app, kind});
    }
    change_app(app);
}

void fleet_quotas::change_app(domain::app_index app)
{
    const auto& options = options_.apps[app];
    const bool limited = options.limits.quota.daily.has_value();
    const auto kinds = domain::all_kinds();
    for (std::uint32_t kind = 0; kind < kinds.size(); ++kind) {
        auto* const state = limited && kinds[kind].type == options.type ? find_or_make({app, kind}) : find({app, kind});
        if (state == nullptr)
            continue;
        state->dropped = !limited && (state->dropped || state->configured);
        state->configured = limited;
        if (!state->today->ledger.known() && state->today->allowance.limited() != limited) {
            state->today->allowance = domain::quota_allowance(limited);
            apply(*state, with_.time.now());
        }
        touch(*state);
    }
    grant();
}

/// That day is today, for this call.
void fleet_quotas::visit(call_state& state, std::int64_t day)
{
    const auto use = with_.queue.use_of_lane(*state.where, with_.time.now());
    auto& next = state.days[day];
    // What is under way when a day begins may arrive on that day; and when the clock goes back, all that was sent since
    // it was wrong was sent on that day.
    auto used = state.today == nullptr ? use.used : use.under_way;
    if (state.today != nullptr) {
        state.today->used = use.used;
        const bool back = day < day_;
        if (next.visited)
            used = next.used + (back ? use.used : use.under_way);
        else if (back)
            used = use.used;
    }
    state.today = &next;
    if (!std::exchange(next.visited, true)) {
        const auto* const quota = configured(state);
        next.allowance = domain::quota_allowance(quota != nullptr && quota->daily.has_value());
        if (next.ledger.known())
            next.allowance.on_table(next.ledger.grant_of(voice_.member()), next.ledger.left(), next.ledger.limit(),
                                    is_exhausted(next));
    }
    state.refusals = 0;
    state.told_used_up = false;
    state.measured = used;
    state.active_at = with_.time.now();
    with_.queue.count_anew(*state.where, used);
}

/// A new day begins with nothing granted and nothing used. By this machine's clock: nobody knows WeChat's.
sender_pool::quota_day fleet_quotas::follow_calendar()
{
    const auto wall = with_.time.wall_now();
    const auto now = with_.time.now();
    const auto day = domain::day_in_china(wall);
    const bool another = day != day_;
    if (another)
        begin_day(day);
    const auto apart = wall.time_since_epoch() - now.time_since_epoch();
    if (std::chrono::abs(apart - clocks_apart_) >= close) {
        clocks_apart_ = apart;
        for (auto& each : calls_)
            if (each.where && !another)
                apply(each, now);
    }
    return {domain::end_of_day_in_china(day - 1), domain::end_of_day_in_china(day)};
}

void fleet_quotas::begin_day(std::int64_t day)
{
    for (auto& each : calls_)
        if (each.where)
            visit(each, day);
    day_ = day;
    for (auto& each : calls_)
        if (each.where)
            apply(each, with_.time.now());
    for (auto& each : calls_)
        std::erase_if(each.days, [this, &each](const auto& known) {
            return &known.second != each.today && (known.first < day_ - 1 || known.first > day_ + 1);
        });
    std::erase_if(members_, [this](const auto& each) {
        const bool gone = each.second < day_ - 1;
        if (gone && voice_.leads())
            voice_.forget(domain::quota_report_key(each.first));
        return gone;
    });
    marked_at_ = steady_time::min();
}

const domain::quota_limits* fleet_quotas::configured(const call_state& state) const
{
    return state.where ? &options_.apps[state.where->app].limits.quota : nullptr;
}

// ---------------------------------------------------------------------------------------------------------------- out

void fleet_quotas::look()
{
    if (stopping_)
        return;
    const auto now = with_.time.now();
    for (const auto where : with_.queue.take_newly_used())
        static_cast<void>(find_or_make(where));
    follow_calendar();
    for (auto& each : calls_)
        if (each.where)
            measure(each, now);
    speak(now);
    inquire(now);
    grant();
    mark(now);
}

void fleet_quotas::on_work()
{
    const auto wait_for_grants = with_.queue.take_newly_short();
    if (stopping_ || wait_for_grants.empty())
        return;
    follow_calendar();
    const auto now = with_.time.now();
    for (const auto where : wait_for_grants)
        if (auto* const state = find(where))
            measure(*state, now);
    speak(now);
}

void fleet_quotas::measure(call_state& state, steady_time now)
{
    const bool has_messages = with_.queue.queued(state.where->app) != 0;
    if (!has_messages && now - state.active_at >= calm_after)
        return;
    const auto use = with_.queue.use_of_lane(*state.where, now);
    if (has_messages || use.used != state.measured)
        state.active_at = now;
    state.measured = use.used;
    state.today->allowance.on_use(use.used, use.ready, now);
    apply(state, now);
}

void fleet_quotas::speak(steady_time now)
{
    if (under_way_ != 0 || !voice_.caught_up())
        return;
    domain::quota_report_record report{voice_.member(), number_ + 1, day_, false, {}};
    for (auto& each : calls_) {
        if (!each.where || now - each.active_at >= 2 * calm_after || report.calls.size() >= most_calls_in_a_report ||
            !each.today->allowance.due(now))
            continue;
        auto said = each.today->allowance.say(report.number, now);
        said.app = each.app;
        said.call = each.call;
        report.calls.push_back(std::move(said));
        apply(each, now); // it binds itself before it says so
    }
    if (report.calls.empty())
        return;
    ++number_;
    under_way_ = voice_.say(report);
}

void fleet_quotas::touch(call_state& state)
{
    if (!std::exchange(state.touched, true))
        touched_.push_back(&state);
}

void fleet_quotas::grant()
{
    if (stopping_ || !voice_.leads() || touched_.empty())
        return;
    for (auto* const state : std::exchange(touched_, {})) {
        state->touched = false;
        if (!state->where)
            continue;
        // Never of a day that has not begun by this clock: a member's may be wrong.
        for (auto& [number, day] : state->days)
            if (number <= day_)
                grant(*state, number, day);
    }
}

void fleet_quotas::grant(call_state& state, std::int64_t number, day_state& day)
{
    if (day.table_under_way)
        return; // reading it touches the call again
    if (auto table = day.ledger.next(limit_of(state, day), is_exhausted(day)))
        say_table(std::move(*table), state, number, day);
}

void fleet_quotas::say_table(domain::quota_table_record table, const call_state& state, std::int64_t number,
                             day_state& day)
{
    table.term = voice_.term();
    table.day = number;
    table.app = state.app;
    table.call = state.call;
    day.table_under_way = true;
    voice_.say(table);
}

domain::quota_limit fleet_quotas::limit_of(const call_state& state, const day_state& day) const
{
    const auto& quota = *configured(state);
    if (quota.daily) {
        const auto daily = static_cast<std::int64_t>(*quota.daily);
        return domain::quota_limit_of(daily, quota.reserve_percent, daily);
    }
    if (day.inquiry.learnt())
        return *day.inquiry.learnt();
    return day.ledger.known() && !state.dropped ? day.ledger.limit() : domain::no_quota;
}

/// By this leader's question, or by what its predecessor found out.
bool fleet_quotas::is_exhausted(const day_state& day)
{
    return day.inquiry.answered() ? day.inquiry.exhausted() : day.ledger.exhausted();
}

/// Who begins to read later must find today's tables.
void fleet_quotas::mark(steady_time now)
{
    if (!voice_.leads() || mark_under_way_ != 0 ||
        (marked_at_ != steady_time::min() && now - marked_at_ < mark_interval))
        return;
    marked_at_ = now;
    auto from = voice_.position();
    for (auto& each : calls_) {
        const auto today = each.days.find(day_);
        if (today == each.days.end() || !today->second.ledger.known())
            continue;
        auto& day = today->second;
        from = std::min(from, day.stands_at);
        if (day.table_under_way || voice_.position() - day.stands_at < repeat_behind)
            continue;
        say_table(day.ledger.repeat(), each, day_, day);
    }
    mark_under_way_ = voice_.say(domain::quota_mark_record{voice_.term(), std::max<std::int64_t>(0, from)});
}

void fleet_quotas::on_acknowledged(std::uint64_t ticket)
{
    if (ticket == under_way_)
        under_way_ = 0;
    else if (ticket == mark_under_way_)
        mark_under_way_ = 0;
}

void fleet_quotas::on_stopping()
{
    const auto now = with_.time.now();
    stopping_ = true;
    if (!voice_.caught_up())
        return;
    domain::quota_report_record report{voice_.member(), ++number_, day_, true, {}};
    for (auto& each : calls_) {
        if (!each.where)
            continue;
        const auto use = with_.queue.use_of_lane(*each.where, now);
        each.today->allowance.on_use(use.used, {}, now);
        const auto may = each.today->allowance.cap();
        auto said = each.today->allowance.give_back(report.number);
        if (use.used.all() == 0 && (may.all() == 0 || !each.today->allowance.limited()))
            continue;
        said.app = each.app;
        said.call = each.call;
        report.calls.push_back(std::move(said));
        apply(each, now);
    }
    if (!report.calls.empty())
        voice_.say(report);
}

// ----------------------------------------------------------------------------------------------------------------- in

void fleet_quotas::on_fleet_record(const domain::fleet_record& record)
{
    const auto offset = voice_.position();
    if (first_ < 0)
        first_ = offset;
    if (offset <= through_)
        return; // it was read already, from the beginning
    read(record, offset, !voice_.caught_up());
}

void fleet_quotas::on_older_record(const domain::fleet_record& record, std::int64_t offset)
{
    if (!std::exchange(reached_, true)) // from the beginning, so all that was read before comes again
        for (auto& each : calls_)
            for (auto& [number, day] : each.days) {
                day.ledger = {};
                day.term = 0;
            }
    through_ = std::max(through_, offset);
    read(record, offset, true);
}

/// @param older  it was written before this process had caught up: who led is known from the terms alone.
void fleet_quotas::read(const domain::fleet_record& record, std::int64_t offset, bool older)
{
    if (const auto* const report = std::get_if<domain::quota_report_record>(&record)) {
        if (std::abs(report->day - day_) > 1)
            return;
        members_[report->member] = report->day;
        for (const auto& said : report->calls) {
            auto& state = call_of(said.app, said.call);
            state.days[report->day].ledger.on_report(report->member, report->number, report->leaving, said);
            touch(state);
        }
    } else if (const auto* const table = std::get_if<domain::quota_table_record>(&record)) {
        on_table(*table, offset, older);
    } else if (const auto* const said = std::get_if<domain::quota_mark_record>(&record)) {
        const bool holds = older ? said->term >= voice_.term() : voice_.accepts(said->term, "");
        reached_ = reached_ || (holds && said->from >= first_);
    } else {
        return;
    }
    if (voice_.caught_up())
        grant();
}

void fleet_quotas::on_table(const domain::quota_table_record& read, std::int64_t offset, bool older)
{
    if (std::abs(read.day - day_) > 1)
        return;
    auto& state = call_of(read.app, read.call);
    auto& day = state.days[read.day];
    if (read.term == voice_.term())
        day.table_under_way = false;
    touch(state);
    const bool holds = older ? read.term >= std::max(day.term, voice_.term()) : voice_.accepts(read.term, read.app);
    if (!holds)
        return;
    day.term = read.term;
    day.stands_at = offset;
    day.ledger.on_table(read);
    if (!day.visited)
        return;
    day.allowance.on_table(day.ledger.grant_of(voice_.member()), day.ledger.left(), day.ledger.limit(),
                           day.ledger.exhausted());
    if (&day == state.today)
        apply(state, with_.time.now());
}

void fleet_quotas::on_lead_changed()
{
    for (auto& each : calls_) {
        for (auto& [number, day] : each.days) {
            day.table_under_way = false;
            day.inquiry = {}; // another leader's answers are newer; its own are learnt anew
        }
        touch(each);
    }
    marked_at_ = steady_time::min();
    grant();
}

// ------------------------------------------------------------------------------------------------------------- effect

void fleet_quotas::apply(call_state& state, steady_time now)
{
    const auto& today = *state.today;
    const auto& allowance = today.allowance;
    domain::send_queue::lane_budget budget;
    if (allowance.limited()) {
        budget.cap = allowance.cap();
        budget.scarce = allowance.starves(false) || allowance.used_up(false);
        budget.scarce_for_high = allowance.starves(true) || allowance.used_up(true);
        const auto until_reset = domain::end_of_day_in_china(day_) - with_.time.wall_now();
        const auto reset = now + std::chrono::duration_cast<steady_duration>(until_reset);
        if (allowance.used_up(true))
            budget.used_up_until = reset;
        if (allowance.used_up(true) || allowance.used_up(false))
            budget.normal_used_up_until = reset;
        if (today.ledger.known() && today.ledger.exhausted())
            budget.cap = {};
        keep_if_close(budget.used_up_until, state.applied.used_up_until);
        keep_if_close(budget.normal_used_up_until, state.applied.normal_used_up_until);
    }
    show(state);
    if (budget == state.applied)
        return;
    if (budget.normal_used_up_until && !std::exchange(state.told_used_up, true))
        log::warn("quota", "the day's quota is used up; this call of the app waits for 00:00 UTC+8",
                  {{"app", state.app},
                   {"call", state.call},
                   {"limit", today.ledger.limit().all},
                   {"by", today.ledger.exhausted() ? "WeChat" : "count"},
                   {"high_priority", budget.used_up_until ? "waits" : "goes"}});
    state.applied = budget;
    with_.queue.set_budget(*state.where, budget, now);
    on_more_();
}

void fleet_quotas::show(call_state& state)
{
    const std::vector<std::string> labels{state.app, state.call};
    const auto& ledger = state.today->ledger;
    if (!ledger.known() || !ledger.limit().bounded()) {
        if (std::exchange(state.shown, false))
            for (auto* const each : {&used_gauge_, &left_gauge_, &limit_gauge_})
                each->remove(labels);
        return;
    }
    state.shown = true;
    used_gauge_.with(labels).set(static_cast<double>(state.measured.all()));
    left_gauge_.with(labels).set(static_cast<double>(ledger.left().all));
    limit_gauge_.with(labels).set(static_cast<double>(ledger.limit().all));
}

} // namespace wxcourier::engine
