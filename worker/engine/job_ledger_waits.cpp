// SPDX-License-Identifier: Apache-2.0
// The part of the ledger that is about waiting: what comes into memory, what waits on a delayed topic, and what the
// status topic says of it.
#include "codec/offset_metadata_codec.hpp"
#include "domain/reasons.hpp"
#include "engine/job_ledger.hpp"
#include "engine/operator_control.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace wxcourier::engine {

using domain::queue_item;
using domain::wait_end;

namespace {

/// A wait shorter than this is not worth a status (docs/reference.md, `deferred`).
constexpr seconds long_wait{60};
/// Messages that are moved in one go: writing them takes the loop's time.
constexpr std::size_t most_moved_at_once = 1024;
/// What jobs with recipients may take of a commit's metadata at most, all of one partition together.
constexpr std::size_t metadata_for_fan_outs = codec::longest_offset_metadata / 4 * 3 - 64;

/// What an earlier assignment, or a job's headers, say of its recipients; indices that the job has not are left out.
domain::index_set within(const std::vector<domain::index_range>& ranges, std::size_t size)
{
    const auto end = static_cast<std::int64_t>(size);
    std::vector<domain::index_range> kept;
    for (const auto& each : ranges)
        if (each.first < end)
            kept.push_back({each.first, std::min(each.last, end - 1)});
    return domain::index_set(std::move(kept));
}

/// The most that a job's progress may take of a commit's metadata: a bitmap as far as it may run ahead of its first
/// unfinished recipient.
/// @param failures  those that failed as well, should every other one.
std::size_t metadata_of(const job_in_progress& job, std::size_t span, bool failures)
{
    constexpr std::size_t beside = 16;
    const auto bitmap = std::min(job.messages.size(), span) / 6 + beside; // 8 bits a byte, 6 a letter
    return failures ? 2 * bitmap : bitmap;
}

wall_time after(wall_time now, steady_duration wait)
{
    return now + std::chrono::ceil<milliseconds>(std::max(wait, steady_duration{0}));
}

} // namespace

// ----------------------------------------------------------------------------------------------------------------
// In

void job_ledger::admit(const std::shared_ptr<job_in_progress>& job, const domain::partial_job* restored)
{
    if (job->came_back && !sources_.begin(job->source, job->assignment)) {
        copies_.add();
        committer_.finish(job->assignment, job->offset, 0);
        return;
    }
    restore(*job, restored);
    if (wait_for_key(job))
        return;
    if (place(job) == placed::no_room)
        committer_.find(job->assignment)->held = job;
}

bool job_ledger::admit_held(offset_committer::partition& partition)
{
    if (!partition.held)
        return true;
    if (partition.going)
        return false;
    const auto job = std::exchange(partition.held, nullptr);
    if (place(job) == placed::taken)
        return true;
    partition.held = job;
    return false;
}

/// How far it had come: as a commit says it, which is the newer word, or as it took along.
void job_ledger::restore(job_in_progress& job, const domain::partial_job* restored) const
{
    job.unreported = job.messages.size();
    if (job.came_back) {
        job.attempted = job.came_back->attempted;
        // A wait whose end was known and has come is over: another one is told of, though it be for the same reason.
        const bool over = job.came_back->end == wait_end::known && job.came_back->due <= time_.wall_now();
        if (job.came_back->reported && !over)
            job.reported_wait = domain::known_reason(job.came_back->reason);
        job.failure_text = job.came_back->failure_text;
        if (const auto& failure = job.came_back->failure; failure.attempts > 0) {
            job.failure_log = std::make_unique<domain::attempt_log>(failure.notes, failure.attempts);
            job.failure_index = static_cast<std::size_t>(failure.index);
        }
    }
    if (!job.messages.fanned_out())
        return;
    const auto not_addressed = std::exchange(job.finished, {}); // of a replayed job
    std::string_view failed_for;
    if (restored != nullptr) {
        job.finished = within(restored->finished, job.messages.size());
        job.failed = within(restored->failed, job.messages.size());
        failed_for = restored->failed_for;
    } else if (job.came_back) {
        job.finished = within(job.came_back->finished, job.messages.size());
        job.failed = within(job.came_back->failed, job.messages.size());
        failed_for = domain::known_reason(job.came_back->failed_for);
    }
    if (restored == nullptr && job.came_back && job.came_back->unknown)
        job.unknown = within(*job.came_back->unknown, job.messages.size());
    else
        job.unknown = job.failed; // not known of each; the careful answer
    for (const auto& range : not_addressed.ranges())
        for (auto index = range.first; index <= range.last; ++index)
            job.finished.insert(index);
    job.unreported -= static_cast<std::size_t>(job.finished.size());
    // Without a known reason the careful one: `replay` sends it again only when it is named.
    if (!job.failed.empty())
        job.failure_reasons[failed_for.empty() ? domain::reason::outcome_unknown : failed_for] =
            static_cast<std::size_t>(job.failed.size());
}

job_ledger::placed job_ledger::place(const std::shared_ptr<job_in_progress>& job)
{
    const auto wall = time_.wall_now();
    const bool over = job->unreported == 0 || (job->expires_at && *job->expires_at <= wall);
    if (!delayed_.moves() || job->stays || over) {
        if (!over && !has_place(*job))
            return placed::no_room;
        begin(job);
        return placed::taken;
    }
    const auto wait = known_wait(*job);
    const auto stopped = stopped_for(*job);
    const bool is_short = is_short_of_memory(*job);
    const auto messages = std::min(job->unreported, options_.admission.fan_out_window);
    if (wait.until - wall > delayed_.plan().longest_in_memory() || job->may_stand_twice) {
        move(job, wait);
    } else if (!stopped.empty() && (job->came_back || is_short)) {
        move(job, open_wait(*job, stopped));
    } else if (is_short && holds_up_others(*job, wait.until > wall)) {
        // One that was told when to come back keeps its turn.
        const bool has_turn = job->came_back && job->came_back->reason.empty() && job->came_back->due > wait.until;
        const auto turn = has_turn ? job->came_back->due : shares_.pace(job->lane.app).next(wait.until, wall, messages);
        move(job, {turn, wait_end::open, {}});
    } else if (is_short) {
        return placed::no_room;
    } else if (!has_place(*job)) {
        move(job, open_wait(*job, {}));
    } else {
        begin(job);
    }
    return placed::taken;
}

/// Whether a commit can tell of the job's progress besides that of the others in its partition.
bool job_ledger::has_place(const job_in_progress& job) const
{
    const auto* const owner = committer_.find(job.assignment);
    if (owner == nullptr || !job.messages.fanned_out() || owner->fan_outs.empty())
        return true;
    if (options_.ordered_by_key) // keys begin in another order than their offsets
        return false;
    const auto span = options_.admission.fan_out_span;
    const bool failures = options_.delivery.at_most_once; // there a commit must say all; elsewhere it may say less
    std::size_t sum = metadata_of(job, span, failures);
    for (const auto& each : owner->fan_outs)
        sum += metadata_of(*each, span, failures);
    return sum <= metadata_for_fan_outs;
}

bool job_ledger::is_short_of_memory(const job_in_progress& job) const
{
    return shares_.full(job.lane.app, job.job.priority, std::min(job.unreported, options_.admission.fan_out_window),
                        deliveries_.size() + delayed_.planned(), memory_.used());
}

/// Whether jobs of other apps may stand behind it, and it is not about to make room for them.
/// @param waits  its own time has not come.
bool job_ledger::holds_up_others(const job_in_progress& job, bool waits)
{
    if (options_.apps.size() < 2)
        return false;
    const auto of_topic = options_.topic_apps.find(job.source.topic);
    if (!job.came_back && of_topic != options_.topic_apps.end() && of_topic->second.size() == 1)
        return false;
    return waits || queue_.held_until(job.lane, job.job.priority, time_.now()) ||
           queue_.scarce(job.lane, job.job.priority) || !shares_.is_fast(job.lane.app);
}

/// Why the app or call stands still until somebody does something. Empty: it does not.
std::string_view job_ledger::stopped_for(const job_in_progress& job) const
{
    if (queue_.blocked(job.lane.app, domain::block_reason::halted))
        return domain::reason::app_halted;
    if (queue_.blocked(job.lane.app, domain::block_reason::paused) || queue_.paused(job.lane))
        return domain::reason::app_paused;
    return {};
}

/// What the job itself has to wait for, as far as its end is known. `until` not ahead: nothing.
delayed_jobs::wait job_ledger::own_wait(const job_in_progress& job) const
{
    const auto wall = time_.wall_now();
    delayed_jobs::wait wait{wall, wait_end::known, {}};
    if (job.job.not_before && *job.job.not_before > wall)
        wait = {*job.job.not_before, wait_end::known, domain::reason::not_before};
    if (job.came_back && job.came_back->end == wait_end::known && job.came_back->due > wait.until)
        wait = {job.came_back->due, wait_end::known, domain::known_reason(job.came_back->reason)};
    if (job.expires_at)
        wait.until = std::min(wait.until, std::max(*job.expires_at, wall)); // to be told on time
    return wait;
}

/// The same with its call's wait for a quota.
delayed_jobs::wait job_ledger::known_wait(const job_in_progress& job) const
{
    auto wait = own_wait(job);
    if (const auto parked = queue_.held_until(job.lane, job.job.priority, time_.now()))
        if (const auto until = after(time_.wall_now(), *parked - time_.now()); until > wait.until)
            wait = {until, wait_end::known, domain::reason::quota_exhausted};
    if (job.expires_at)
        wait.until = std::min(wait.until, std::max(*job.expires_at, time_.wall_now()));
    return wait;
}

delayed_jobs::wait job_ledger::open_wait(const job_in_progress& job, std::string_view reason) const
{
    const auto wall = time_.wall_now();
    const bool goes_on = job.came_back && job.came_back->end == wait_end::open && job.came_back->reason == reason;
    const auto waited = goes_on ? wall - job.came_back->waits_since : milliseconds{0};
    auto until = wall + delayed_.plan().next_look(waited);
    if (job.expires_at)
        until = std::min(until, *job.expires_at);
    return {until, wait_end::open, reason};
}

// ----------------------------------------------------------------------------------------------------------------
// Out of memory

void job_ledger::look_after_waits(const credentials& tokens, const operator_control& operators)
{
    report_deferrals(tokens, operators);
    measure_paces();
    if (delayed_.moves())
        move_what_waits();
    const auto& partitions = committer_.partitions();
    if (std::any_of(partitions.begin(), partitions.end(), [](const auto& each) { return each.second.held != nullptr; }))
        on_room_(); // its app may have become slow meanwhile
}

void job_ledger::report_deferrals(const credentials& tokens, const operator_control& operators)
{
    const auto now = time_.now();
    const auto wall = time_.wall_now();
    deliveries_.for_each([&](queue_item item, delivery& each) {
        if (each.at != delivery::stage::queued || (each.deferral_reported && each.deferred_until > wall))
            return;
        const auto where = each.job->lane;
        std::string_view reason;
        std::optional<steady_time> until;
        const auto paused = each.held_from ? std::optional(each.held_since) : operators.paused_since(where);
        if (paused && now - *paused > long_wait) { // how long it will last nobody knows; so long it has
            reason = domain::reason::app_paused;
            until = now + sender_pool::pause_look;
        } else if (paused) {
            return;
        } else if (queue_.blocked(where.app, domain::block_reason::halted)) {
            reason = "app_halted";
            until = tokens.report(where.app).next_call;
        } else if (const auto parked = queue_.held_until(where, each.job->job.priority, now);
                   parked && *parked - now > long_wait)
        {
            reason = "quota_exhausted";
            until = parked;
        } else if (const auto held = queue_.recipient_held_until(item, now); held && *held - now > long_wait) {
            reason = domain::reason::recipient_limited;
            until = held;
        } else if (each.ready_at - now > long_wait && !each.wait_reason.empty()) {
            reason = each.wait_reason;
            until = each.ready_at;
        }
        if (!until)
            return;
        each.deferral_reported = true;
        const bool known_end = reason != domain::reason::app_paused && reason != domain::reason::app_halted;
        each.deferred_until = known_end ? after(wall, *until - now) : wall_time::max();
        reporter_.report_deferral(each, reason,
                                  wall + std::chrono::ceil<milliseconds>(std::max(*until - now, steady_duration{0})));
    });
}

void job_ledger::measure_paces()
{
    for (domain::app_index app = 0; app < options_.apps.size(); ++app)
        shares_.measure(app, time_.now(), queue_.blocked(app), queue_.queued(app) > 0, queue_.in_flight(app) > 0);
}

/// The wait for which a queued message should leave the memory. Empty: it stays.
std::optional<delayed_jobs::wait> job_ledger::too_long_a_wait(queue_item item)
{
    const auto& message = deliveries_[item];
    const auto& job = *message.job;
    // at_most_once: its offset may have finished, and then nobody would read it again.
    if (!delayed_.moves() || job.stays || job.offset_finished || message.committed)
        return std::nullopt;
    const auto now = time_.now();
    const auto wall = time_.wall_now();
    if (message.held_from) // its template is paused, until somebody says otherwise
        return now - message.held_since > long_wait ? std::optional(open_wait(job, domain::reason::app_paused))
                                                    : std::nullopt;
    delayed_jobs::wait wait{wall, wait_end::known, message.wait_reason};
    wait.until = after(wall, message.ready_at - now);
    if (const auto parked = queue_.held_until(job.lane, job.job.priority, now); parked && *parked > message.ready_at)
        wait = {after(wall, *parked - now), wait_end::known, domain::reason::quota_exhausted};
    if (const auto held = queue_.recipient_held_until(item, now); held && after(wall, *held - now) > wait.until)
        wait = {after(wall, *held - now), wait_end::known, domain::reason::recipient_limited};
    if (job.expires_at)
        wait.until = std::min(wait.until, *job.expires_at);
    if (wait.until - wall > delayed_.plan().longest_in_memory())
        return wait;
    if (const auto stopped = stopped_for(job); !stopped.empty() && now - message.ready_at > long_wait)
        return open_wait(job, stopped);
    return std::nullopt;
}

void job_ledger::move_what_waits()
{
    struct candidate {
        std::shared_ptr<job_in_progress> job;
        delayed_jobs::wait wait;
        std::vector<queue_item> messages;
    };
    std::unordered_map<const job_in_progress*, candidate> candidates;
    std::size_t count = 0;
    deliveries_.for_each([&](queue_item item, const delivery& each) {
        if (each.at != delivery::stage::queued || (count >= most_moved_at_once && !each.job->messages.fanned_out()))
            return;
        if (const auto wait = too_long_a_wait(item)) {
            auto& of_job = candidates[each.job.get()];
            of_job.job = each.job;
            if (of_job.messages.empty() || wait->until < of_job.wait.until)
                of_job.wait = *wait;
            of_job.messages.push_back(item);
            ++count;
        }
    });
    // A job moves when nothing of it is under way, and all that is in memory waits.
    std::erase_if(candidates,
                  [](const auto& each) { return each.second.messages.size() != each.second.job->admitted; });
    if (candidates.empty())
        return;
    std::vector<queue_item> going;
    for (const auto& [job, each] : candidates)
        going.insert(going.end(), each.messages.begin(), each.messages.end());
    std::sort(going.begin(), going.end());
    queue_.remove_if([&going](queue_item item) { return std::binary_search(going.begin(), going.end(), item); },
                     time_.now());
    for (const auto& [job, each] : candidates)
        move_from_memory(each.messages, each.wait);
}

void job_ledger::move_from_memory(const std::vector<queue_item>& messages, const delayed_jobs::wait& wait)
{
    const auto job = deliveries_[messages.front()].job;
    domain::index_set told;
    domain::index_set in_memory;
    for (const auto item : messages) {
        const auto& message = deliveries_[item];
        keep_history(message);
        in_memory.insert(static_cast<std::int64_t>(message.index));
        if (message.deferral_reported && message.deferred_until > time_.wall_now())
            told.insert(static_cast<std::int64_t>(message.index));
        free(item);
    }
    // Those that were attempted meanwhile wait anew; of the others the status topic may know.
    if (job->reported_wait == wait.reason)
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(job->messages.size()); ++i)
            if (!in_memory.contains(i))
                told.insert(i);
    job->reported_wait = {};
    job->next_message = 0;
    move(job, wait, told);
    on_room_();
}

void job_ledger::move(const std::shared_ptr<job_in_progress>& job, const delayed_jobs::wait& wait,
                      const domain::index_set& told)
{
    report_wait(*job, wait, told);
    auto& fan_outs = committer_.find(job->assignment)->fan_outs;
    if (job->messages.fanned_out() && std::find(fan_outs.begin(), fan_outs.end(), job) == fan_outs.end())
        fan_outs.push_back(job); // until it stands there, commits tell how far it has come
    add_busy(job->assignment, 1);
    delayed_.move(job, wait, [this, job](delayed_jobs::outcome came) { on_moved(job, came); });
}

/// Tells the status topic of a wait that it does not know of yet, for every message that has not ended.
/// @param told  indices of messages for which it does know.
void job_ledger::report_wait(job_in_progress& job, const delayed_jobs::wait& wait, const domain::index_set& told)
{
    if (wait.reason.empty() || job.reported_wait == wait.reason || wait.until - time_.wall_now() < long_wait)
        return;
    job.reported_wait = wait.reason;
    delivery message;
    message.job = std::shared_ptr<job_in_progress>(std::shared_ptr<void>{}, &job); // for this call only
    for (std::size_t i = 0; i < job.messages.size(); ++i) {
        const auto index = static_cast<std::int64_t>(i);
        if (job.finished.contains(index) || told.contains(index))
            continue;
        message.index = i;
        message.history = {};
        message.errcode.reset();
        restore_history(message);
        reporter_.report_deferral(message, wait.reason, wait.until);
    }
}

void job_ledger::on_moved(const std::shared_ptr<job_in_progress>& job, delayed_jobs::outcome came)
{
    add_busy(job->assignment, -1);
    if (came != delayed_jobs::outcome::stands) {
        job->stays = came == delayed_jobs::outcome::too_large;
        if (!job->may_stand_twice)
            committer_.note_not_moving(job->assignment, job->offset);
        if (!is_going(job->assignment))
            begin(job);
    } else {
        sources_.on_moved(job->source, job->assignment);
        if (auto* const owner = committer_.find(job->assignment)) {
            std::erase(owner->fan_outs, job);
            committer_.finish_moved(job->assignment, job->offset);
        }
    }
    on_room_();
}

void job_ledger::keep_history(const delivery& message)
{
    if (message.history.attempts == 0)
        return;
    const auto now = time_.now();
    domain::attempted_message kept;
    kept.index = static_cast<std::int64_t>(message.index);
    kept.attempts = message.history.attempts;
    kept.retries = message.history.retries;
    if (message.first_active)
        kept.active_for = std::chrono::duration_cast<milliseconds>(queue_.active_time(message.job->lane, now) -
                                                                   *message.first_active);
    if (message.history.first_unknown)
        kept.first_unknown =
            time_.wall_now() - std::chrono::duration_cast<milliseconds>(now - *message.history.first_unknown);
    kept.errcode = message.errcode;
    if (message.log)
        kept.notes = message.log->notes();
    auto& all = message.job->attempted;
    std::erase_if(all, [&kept](const auto& each) { return each.index == kept.index; });
    all.push_back(kept);
}

void job_ledger::restore_history(delivery& message)
{
    const auto& job = *message.job;
    message.deferral_reported = !job.reported_wait.empty();
    if (job.came_back && job.came_back->end == wait_end::known)
        message.deferred_until = job.came_back->due;
    const auto kept = std::find_if(job.attempted.begin(), job.attempted.end(), [&message](const auto& each) {
        return each.index == static_cast<std::int64_t>(message.index);
    });
    if (kept == job.attempted.end())
        return;
    const auto now = time_.now();
    message.history.attempts = kept->attempts;
    message.history.retries = kept->retries;
    message.first_active = queue_.active_time(job.lane, now) - kept->active_for;
    if (kept->first_unknown)
        message.history.first_unknown = now - (time_.wall_now() - *kept->first_unknown);
    message.errcode = kept->errcode;
    if (!kept->notes.kept.empty())
        message.log = std::make_unique<domain::attempt_log>(kept->notes, kept->attempts);
}

} // namespace wxcourier::engine
