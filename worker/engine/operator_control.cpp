// SPDX-License-Identifier: Apache-2.0
#include "engine/operator_control.hpp"

#include "common/log.hpp"
#include "domain/kinds.hpp"
#include "domain/reasons.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wxcourier::engine {

using domain::block_reason;
using domain::operator_change;
using result = operator_outcome::result;

namespace {

/// Between two complaints that the log has not been read.
constexpr seconds complaint_interval{60};

std::string_view reason_of(const operator_change& change)
{
    using namespace domain::reason;
    if (change.what == operator_change::action::rate)
        return rate_changed;
    const bool paused = change.what == operator_change::action::pause;
    if (!change.target.template_id.empty())
        return paused ? template_paused : template_resumed;
    if (!change.target.kind.empty())
        return paused ? kind_paused : kind_resumed;
    return paused ? app_paused : app_resumed;
}

} // namespace

/// The one call that may write to the log now.
class operator_control::turn {
public:
    explicit turn(operator_control& owner) : owner_(owner) { owner_.busy_ = true; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn()
    {
        owner_.busy_ = false;
        owner_.awaited_.clear();
        owner_.changed_.notify();
    }

private:
    operator_control& owner_;
};

operator_control::operator_control(const engine_options& options, surroundings with,
                                   std::function<void(domain::app_index)> on_rate, std::function<void()> on_change)
    : options_(options), with_(with), on_rate_(std::move(on_rate)), on_change_(std::move(on_change)),
      changed_(with.time), alarm_(with.time.make_alarm()), paused_gauge_(with.metrics["wxcourier_app_paused"]),
      changes_(with.metrics["wxcourier_operator_changes_total"])
{
    for (domain::app_index app = 0; app < options_.apps.size(); ++app)
        add_app(app);
    with_.senders.hold_back([this](const delivery& message) { return holds(message); });
}

void operator_control::join(fleet_voice& voice)
{
    voice_ = &voice;
    started_at_ = with_.time.now();
    for (domain::app_index app = 0; app < effects_.size(); ++app)
        with_.queue.block(app, block_reason::unagreed, started_at_);
}

void operator_control::add_app(domain::app_index app)
{
    if (app >= effects_.size())
        effects_.resize(app + 1);
    auto& effect = effects_[app];
    effect.lanes_paused_since.resize(domain::all_kinds().size());
    paused_gauge_.with({options_.apps[app].name}).set(effect.paused_since ? 1 : 0);
    if (!known()) {
        with_.queue.block(app, block_reason::unagreed, with_.time.now());
        return;
    }
    follow(app);
}

void operator_control::start(task_group& tasks)
{
    if (voice_ != nullptr)
        tasks.spawn(run());
}

void operator_control::stop()
{
    stopping_ = true;
    alarm_->wake();
    changed_.notify();
}

asio::awaitable<void> operator_control::run()
{
    auto complaint_due = started_at_ + patience;
    while (!stopping_) {
        const auto now = with_.time.now();
        std::optional<steady_time> next;
        if (!known_ && now >= complaint_due) {
            log::error("operator",
                       "the fleet topic has not been read to its end: nothing is sent, for what operators have paused "
                       "is not known",
                       {});
            complaint_due = now + complaint_interval;
        }
        if (!known_)
            next = complaint_due;
        else if (voice_->leads() && snapshot_out_ == 0 && now >= snapshot_due_)
            say_snapshot();
        if (known_ && voice_->leads() && snapshot_out_ == 0)
            next = snapshot_due_;
        co_await alarm_->wait_until(next);
    }
}

void operator_control::say_snapshot()
{
    snapshot_due_ = with_.time.now() + snapshot_interval;
    snapshot_out_ = voice_->say(domain::operator_state_record{group_.snapshot(through_)});
}

// ------------------------------------------------------------------------------------------------------------- calls

asio::awaitable<operator_outcome> operator_control::pause(domain::pause_target target, operator_scope scope,
                                                          std::string by)
{
    return agree(
        [this, target = std::move(target), by = std::move(by)] {
            return operator_change{
                operator_change::action::pause, target, {}, {by, options_.worker, with_.time.wall_now()}};
        },
        scope);
}

asio::awaitable<operator_outcome> operator_control::resume(domain::pause_target target, operator_scope scope,
                                                           std::string by)
{
    return agree(
        [this, target = std::move(target), by = std::move(by)] {
            return operator_change{
                operator_change::action::resume, target, {}, {by, options_.worker, with_.time.wall_now()}};
        },
        scope);
}

asio::awaitable<operator_outcome> operator_control::change_rate(std::string app, domain::rate_patch patch,
                                                                operator_scope scope, std::string by)
{
    return agree(
        [this, app = std::move(app), patch, scope, by = std::move(by)] {
            const auto& before = scope == operator_scope::group ? group_ : instance_;
            return operator_change{operator_change::action::rate,
                                   {app, {}, {}},
                                   patch.applied_to(before.rate_of(app)),
                                   {by, options_.worker, with_.time.wall_now()}};
        },
        scope);
}

/// @param word  called when all that was said before has been read.
asio::awaitable<operator_outcome> operator_control::agree(std::function<operator_change()> word, operator_scope scope)
{
    if (scope == operator_scope::group && voice_ != nullptr) {
        const auto outcome = co_await agree_in_group(std::move(word));
        co_return outcome;
    }
    auto& state = scope == operator_scope::group ? group_ : instance_;
    const auto change = word();
    operator_outcome outcome;
    outcome.in_force_at = with_.time.wall_now();
    if (!state.would_change(change)) {
        outcome.what = result::unchanged;
    } else if (!state.has_room_for(change)) {
        outcome.what = result::no_room;
    } else {
        state.apply(change, static_cast<std::int64_t>(++words_));
        follow();
        publish(change, scope == operator_scope::group ? "group" : "instance");
    }
    co_return outcome;
}

asio::awaitable<operator_outcome> operator_control::agree_in_group(std::function<operator_change()> word)
{
    const auto deadline = with_.time.now() + answer_limit;
    operator_outcome outcome;
    outcome.what = result::not_known;
    if (!known_)
        co_return outcome;
    outcome.what = result::not_written;
    while ((busy_ || unwritten_ != 0) && !stopping_ && with_.time.now() < deadline)
        co_await changed_.wait_until(deadline);
    if (busy_ || unwritten_ != 0 || stopping_)
        co_return outcome;
    const turn own(*this);
    // A question first: while Kafka is away it is the question that waits in the producer, and later changes nothing.
    const auto question = next_id();
    const domain::fleet_record asked = domain::operator_probe_record{question};
    const bool takes_words = co_await said(asked, question, deadline - answer_limit / 2);
    if (!takes_words)
        co_return outcome;
    // The answer came behind everything that was said before: `group_` is up to date.
    const auto change = word();
    outcome.in_force_at = with_.time.wall_now();
    if (!group_.would_change(change))
        outcome.what = result::unchanged;
    else
        outcome.what = group_.has_room_for(change) ? result::unconfirmed : result::no_room;
    if (outcome.what != result::unconfirmed)
        co_return outcome;
    const auto id = next_id();
    const domain::fleet_record record = domain::operator_change_record{id, change};
    const bool stands = co_await said(record, id, deadline);
    if (stands)
        outcome = read_back_;
    co_return outcome;
}

/// Says it and waits until it has been read back. False: not in time. The caller's frame keeps what is passed.
asio::awaitable<bool> operator_control::said(const domain::fleet_record& record, const std::string& id,
                                             steady_time deadline)
{
    awaited_ = id;
    unwritten_ = voice_->say(record);
    while (awaited_ == id && !stopping_ && with_.time.now() < deadline)
        co_await changed_.wait_until(deadline);
    co_return awaited_ != id;
}

std::string operator_control::next_id()
{
    return voice_->member() + '/' + std::to_string(++words_);
}

void operator_control::announce_token(const std::string& app)
{
    if (voice_ == nullptr)
        return;
    const operator_change done{
        operator_change::action::renewed, {app, {}, {}}, {}, {{}, options_.worker, with_.time.wall_now()}};
    voice_->say(domain::operator_change_record{next_id(), done});
}

void operator_control::tell(std::string_view reason, const domain::pause_target& about, const std::string& by)
{
    changes_.with({std::string(reason)}).add();
    log::info("operator", "an operator acts on this worker",
              {{"what", reason}, {"app", about.app}, {"operator", by}, {"scope", "instance"}});
    with_.reporter.report_event(reason, about, {"instance", {}, by, std::nullopt});
}

// --------------------------------------------------------------------------------------------------------------- log

void operator_control::on_fleet_record(const domain::fleet_record& record)
{
    const auto offset = voice_->position();
    if (first_ < 0)
        first_ = offset;
    read(record, offset);
}

bool operator_control::wants_older() const
{
    return !reached_;
}

void operator_control::on_older_record(const domain::fleet_record& record, std::int64_t offset)
{
    if (std::exchange(reached_, true) == false) { // from the beginning, so all that was read before comes again
        group_ = {};
        through_ = -1;
    }
    read(record, offset);
}

void operator_control::read(const domain::fleet_record& record, std::int64_t offset)
{
    if (offset <= through_)
        return; // it was read already, from the beginning
    through_ = offset;
    if (const auto* const probe = std::get_if<domain::operator_probe_record>(&record)) {
        if (probe->id == awaited_) {
            awaited_.clear();
            changed_.notify();
        }
    } else if (const auto* const word = std::get_if<domain::operator_change_record>(&record)) {
        const bool own = word->id.starts_with(voice_->member() + '/');
        if (word->change.what == operator_change::action::renewed) {
            if (known_ && !own && on_token_renewed_)
                on_token_renewed_(word->change.target.app);
            return;
        }
        const bool news = group_.apply(word->change, offset);
        if (known_ && own)
            note_own(word->change, news, offset);
        if (word->id == awaited_) {
            awaited_.clear();
            changed_.notify();
        }
        if (known_ && news)
            follow();
    } else if (const auto* const all = std::get_if<domain::operator_state_record>(&record)) {
        const bool news = group_.merge(all->all);
        reached_ = reached_ || all->all.through + 1 >= first_;
        if (known_ && news)
            follow();
    }
}

/// A word that this replica was given stands in the log, however late: it is this replica that tells of it.
void operator_control::note_own(const operator_change& change, bool news, std::int64_t offset)
{
    read_back_ = {news                          ? result::done
                  : group_.has_room_for(change) ? result::unchanged
                                                : result::no_room,
                  with_.time.wall_now(), offset};
    if (news)
        publish(change, "group");
}

void operator_control::publish(const operator_change& change, std::string_view scope)
{
    const auto reason = reason_of(change);
    changes_.with({std::string(reason)}).add();
    log::info("operator", "an operator's word is in force",
              {{"what", reason}, {"about", describe(change.target)}, {"operator", change.mark.by}, {"scope", scope}});
    domain::operator_event event{std::string(scope), {}, change.mark.by, std::nullopt};
    if (change.what == operator_change::action::rate)
        event.limits = change.rate;
    with_.reporter.report_event(reason, change.target, std::move(event));
}

void operator_control::on_caught_up()
{
    known_ = true;
    for (domain::app_index app = 0; app < effects_.size(); ++app)
        with_.queue.unblock(app, block_reason::unagreed, with_.time.now());
    follow();
    alarm_->wake();
}

void operator_control::on_lead_changed()
{
    snapshot_due_ = with_.time.now();
    alarm_->wake();
}

void operator_control::on_acknowledged(std::uint64_t ticket)
{
    if (ticket == unwritten_) {
        unwritten_ = 0;
        changed_.notify();
    } else if (ticket == snapshot_out_) {
        snapshot_out_ = 0;
        alarm_->wake();
    }
}

// ----------------------------------------------------------------------------------------------------------- effects

domain::rate_override operator_control::limits_of(domain::app_index app) const
{
    const auto& name = options_.apps[app].name;
    const auto whole = group_.rate_of(name);
    const auto own = instance_.rate_of(name);
    return {own.per_second ? own.per_second : whole.per_second, own.burst ? own.burst : whole.burst,
            own.concurrency ? own.concurrency : whole.concurrency};
}

std::optional<steady_time> operator_control::paused_since(domain::lane where) const
{
    const auto& effect = effects_[where.app];
    const auto& lane = effect.lanes_paused_since[where.call];
    if (effect.paused_since && lane)
        return std::min(*effect.paused_since, *lane);
    return effect.paused_since ? effect.paused_since : lane;
}

void operator_control::follow()
{
    for (domain::app_index app = 0; app < effects_.size(); ++app)
        follow(app);
    with_.senders.review_holds();
    on_change_();
}

void operator_control::follow(domain::app_index app)
{
    auto& effect = effects_[app];
    const auto& configured = options_.apps[app];
    const auto now = with_.time.now();
    const auto note = [now](std::optional<steady_time>& since, bool paused) {
        const bool changed = paused != since.has_value();
        if (changed)
            since = paused ? std::optional(now) : std::nullopt;
        return changed;
    };
    const bool paused = group_.pauses_app(configured.name) || instance_.pauses_app(configured.name);
    if (note(effect.paused_since, paused)) {
        if (paused)
            with_.queue.block(app, block_reason::paused, now);
        else
            with_.queue.unblock(app, block_reason::paused, now);
        paused_gauge_.with({configured.name}).set(paused ? 1 : 0);
    }
    for (std::uint32_t call = 0; call < effect.lanes_paused_since.size(); ++call) {
        const auto kind = domain::all_kinds()[call].name;
        const bool waits = group_.pauses_kind(configured.name, kind) || instance_.pauses_kind(configured.name, kind);
        if (note(effect.lanes_paused_since[call], waits))
            with_.queue.pause({app, call}, waits, now);
    }
    if (const auto limits = limits_of(app); limits != effect.limits) {
        effect.limits = limits;
        on_rate_(app);
        with_.senders.use_concurrency(app, limits.concurrency);
    }
    effect.some_template =
        group_.pauses_some_template(configured.name) || instance_.pauses_some_template(configured.name);
}

bool operator_control::holds(const delivery& message) const
{
    const auto& job = *message.job;
    if (!effects_[job.lane.app].some_template)
        return false;
    const auto template_id = job.messages.template_id(message.index);
    return group_.pauses_template(job.job.app, template_id) || instance_.pauses_template(job.job.app, template_id);
}

} // namespace wxcourier::engine
