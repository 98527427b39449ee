// SPDX-License-Identifier: Apache-2.0
#include "engine/job_ledger.hpp"

#include "codec/offset_metadata_codec.hpp"
#include "domain/reasons.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {

using domain::job_state;
using domain::queue_item;

namespace {

/// Any pattern of so many offsets fits three quarters of a commit's metadata, as a bitmap.
constexpr std::int64_t span_without_care = codec::longest_offset_metadata / 4 * 3 * 6 - 64;
/// Beyond that, what is read ahead of the last measurement must fit what is left of the metadata.
constexpr std::int64_t most_unmeasured = 4096;

} // namespace

job_ledger::job_ledger(const engine_options& options, delivery_store& deliveries, domain::send_queue& queue,
                       offset_committer& committer, status_reporter& reporter, memory_budget& memory,
                       memory_shares& shares, delayed_jobs& delayed, clock& time, metrics_registry& metrics,
                       std::function<void()> on_room)
    : options_(options), deliveries_(deliveries), queue_(queue), committer_(committer), reporter_(reporter),
      memory_(memory), shares_(shares), delayed_(delayed), time_(time),
      in_flight_limit_(engine::in_flight_limit(options)), on_room_(std::move(on_room)),
      finished_(metrics["wxcourier_messages_finished_total"]), rejected_(metrics["wxcourier_jobs_rejected_total"]),
      copies_(metrics["wxcourier_delayed_copies_total"].with())
{
}

bool job_ledger::has_room() const noexcept
{
    return deliveries_.size() + reporter_.pending() + keys_.waiting() + delayed_.planned() <
               options_.admission.messages &&
           memory_.used() < options_.admission.bytes;
}

bool job_ledger::has_room(const offset_committer::partition& partition) const noexcept
{
    // Thousands that come back in one moment, to move on at once, leave room for what has just been written.
    if (partition.delayed && reporter_.pending() + delayed_.planned() > options_.admission.messages / 8)
        return false;
    return !partition.going && !partition.metadata_full && !partition.keys_full && !partition.held &&
           (partition.tracker.span() < span_without_care || partition.unmeasured < most_unmeasured);
}

/// Whether an earlier job has its key: it begins when that has ended for good.
bool job_ledger::wait_for_key(const std::shared_ptr<job_in_progress>& job)
{
    if (!options_.ordered_by_key || keys_.enter(job))
        return false;
    const auto most = options_.admission.messages / 4 * 3 / std::max<std::size_t>(committer_.partitions().size(), 1);
    if (keys_.waiting(job->assignment) >= most)
        committer_.find(job->assignment)->keys_full = true;
    return true;
}

void job_ledger::go_on_with_keys()
{
    if (!options_.ordered_by_key)
        return;
    std::vector<std::shared_ptr<job_in_progress>> begins;
    for (const auto& [id, partition] : committer_.partitions()) {
        if (partition.going)
            continue;
        while (auto job = keys_.next(id, partition.changes_committed)) {
            if (!has_place(*job)) {
                keys_.put_back(std::move(job));
                break;
            }
            begins.push_back(std::move(job));
            if (begins.back()->messages.fanned_out())
                break; // it is the one under way from now on
        }
    }
    for (const auto& job : begins) {
        committer_.find(job->assignment)->keys_full = false;
        begin(job);
    }
}

void job_ledger::begin(const std::shared_ptr<job_in_progress>& job)
{
    auto* const owner = committer_.find(job->assignment);
    if (owner == nullptr)
        return;
    auto& fan_outs = owner->fan_outs;
    if (job->messages.fanned_out() && std::find(fan_outs.begin(), fan_outs.end(), job) == fan_outs.end())
        fan_outs.push_back(job);
    if (job->unreported == 0)
        end(job); // it had come to its end before, but for the dead letter or the commit
    else
        admit_messages(job);
}

void job_ledger::admit_messages(const std::shared_ptr<job_in_progress>& job)
{
    if (is_going(job->assignment))
        return;
    const auto span = static_cast<std::size_t>(job->finished.first_missing()) + options_.admission.fan_out_span;
    const auto last = std::min(job->messages.size(), span);
    for (; job->next_message < last && job->admitted < options_.admission.fan_out_window; ++job->next_message) {
        if (job->finished.contains(static_cast<std::int64_t>(job->next_message)))
            continue;
        ++job->admitted;
        add_busy(job->assignment, 1);
        const auto item = deliveries_.make(job, job->next_message);
        shares_.add_message(job->lane.app);
        auto& message = deliveries_[item];
        restore_history(message);
        auto ready_at = time_.now();
        const auto wall = time_.wall_now();
        if (const auto wait = own_wait(*job); wait.until > wall && !wait.reason.empty()) {
            ready_at += wait.until - wall;
            message.wait_reason = wait.reason;
        }
        pool_->enqueue(item, ready_at);
    }
}

void job_ledger::reject(const original_record& record, assignment_id assignment, std::int64_t offset,
                        const domain::source_position& source, const codec::rejection& why)
{
    rejected_.with({std::string(why.reason)}).add();
    add_busy(assignment, 1);
    auto held = std::make_shared<memory_budget::permit>(memory_, record.value ? record.value->size() : 0);
    reporter_.report_rejection(record, source, why, [this, assignment, offset, held = std::move(held)] {
        add_busy(assignment, -1);
        committer_.finish(assignment, offset, 0);
        on_room_();
    });
}

void job_ledger::on_waiting(queue_item item, steady_time ready_at)
{
    auto& message = deliveries_[item];
    if (is_going(message.job->assignment)) {
        drop(item);
        on_room_();
        return;
    }
    message.at = delivery::stage::queued;
    message.ready_at = ready_at;
    if (!message.job->messages.fanned_out())
        if (const auto wait = too_long_a_wait(item)) {
            move_from_memory({item}, *wait);
            return;
        }
    pool_->enqueue(item, ready_at);
    on_room_(); // who waits is not under way: more may be worth reading
}

asio::awaitable<bool> job_ledger::commit_first(queue_item item)
{
    const auto job = deliveries_[item].job;
    if (job->messages.fanned_out()) {
        job->finished.insert(static_cast<std::int64_t>(deliveries_[item].index));
        committer_.finish_message(job->assignment, 0);
    } else {
        job->offset_finished = true;
        committer_.finish(job->assignment, job->offset, 0);
    }
    const bool committed = co_await committer_.secure(job->assignment);
    if (committed)
        deliveries_[item].committed = true;
    else
        free(item);
    co_return committed;
}

/// Whether a crash right now would send it once more.
bool job_ledger::would_repeat(const delivery& ended) const
{
    return ended.history.attempts > 0 && !options_.delivery.at_most_once;
}

bool job_ledger::may_send(std::size_t under_way) const
{
    return options_.delivery.at_most_once || under_way + committer_.at_risk() < 2 * in_flight_limit_;
}

/// What at_most_once has committed nobody else sends. But once the partition is another's, that one may be sending
/// later jobs of the key.
bool job_ledger::is_ours(queue_item item)
{
    const auto& message = deliveries_[item];
    const auto* const owner = committer_.find(message.job->assignment);
    if (owner == nullptr)
        return message.committed && !options_.ordered_by_key;
    return message.committed || !owner->going;
}

void job_ledger::on_ended(queue_item item, job_state state, std::string_view reason)
{
    auto& message = deliveries_[item];
    message.at = delivery::stage::reporting;
    message.ended_as = state;
    message.end_reason = reason;
    count_end(*message.job, state, reason);
    shares_.note_ended(message.job->lane.app);
    if (would_repeat(message))
        committer_.note_sent(message.job->assignment);
    reporter_.report_end(message, state, reason, !is_waited_for(message.job->assignment),
                         [this, item] { on_acknowledged(item); }); // so small that it is not allocated
}

/// Whether a status that is not written at once holds something up: the next job of its key, its partition's next
/// owner, or soon the sends, of which only so many may be unknown to Kafka.
bool job_ledger::is_waited_for(assignment_id where)
{
    return options_.ordered_by_key || is_going(where) || pool_->under_way() + committer_.at_risk() >= in_flight_limit_;
}

void job_ledger::on_acknowledged(queue_item item)
{
    auto& message = deliveries_[item];
    const auto index = static_cast<std::int64_t>(message.index);
    const std::size_t sent = would_repeat(message) ? 1 : 0;
    --message.job->unreported;
    if (message.ended_as == job_state::failed)
        note_failure(message);
    const auto job = free(item);
    if (job->messages.fanned_out()) {
        job->finished.insert(index);
        committer_.finish_message(job->assignment, sent);
        admit_messages(job);
    } else {
        job->sent_messages = sent;
    }
    if (job->unreported == 0)
        end(job);
    on_room_();
}

void job_ledger::note_failure(delivery& failed)
{
    auto& job = *failed.job;
    const auto index = static_cast<std::int64_t>(failed.index);
    job.failed.insert(index);
    if (failed.end_reason == domain::reason::outcome_unknown)
        job.unknown.insert(index);
    ++job.failure_reasons[failed.end_reason];
    job.failure_text = failed.errmsg;
    job.failure_log = std::move(failed.log);
    job.failure_index = failed.index;
}

void job_ledger::end(const std::shared_ptr<job_in_progress>& job)
{
    if (job->failed.empty()) {
        finish(job);
        return;
    }
    add_busy(job->assignment, 1);
    reporter_.bury(*job, [this, job] {
        add_busy(job->assignment, -1);
        finish(job);
        on_room_();
    });
}

void job_ledger::finish(const std::shared_ptr<job_in_progress>& job)
{
    if (job->came_back)
        sources_.on_ended(job->source, job->assignment);
    auto* const owner = committer_.find(job->assignment);
    if (owner == nullptr)
        return;
    std::erase(owner->fan_outs, job);
    if (!job->offset_finished)
        committer_.finish(job->assignment, job->offset, job->sent_messages);
    if (options_.ordered_by_key)
        keys_.ended(*job, owner->changes);
}

/// Lets go of a message that is not under way, because its partition goes.
void job_ledger::drop(queue_item item)
{
    if (deliveries_[item].committed) // nobody will read it again: what came of it must be told here
        on_ended(item, job_state::failed, domain::reason::retries_exhausted);
    else
        free(item);
}

std::shared_ptr<job_in_progress> job_ledger::free(queue_item item)
{
    auto job = deliveries_.free(item);
    --job->admitted;
    add_busy(job->assignment, -1);
    shares_.remove_message(job->lane.app);
    return job;
}

void job_ledger::add_busy(assignment_id id, std::ptrdiff_t change)
{
    if (auto* const owner = committer_.find(id))
        owner->busy += static_cast<std::size_t>(change);
}

bool job_ledger::is_going(assignment_id id)
{
    const auto* const owner = committer_.find(id);
    return owner == nullptr || owner->going;
}

void job_ledger::let_go(const std::vector<assignment_id>& ids)
{
    const auto goes = [this, &ids](queue_item item) {
        return std::find(ids.begin(), ids.end(), deliveries_[item].job->assignment) != ids.end();
    };
    queue_.remove_if(goes, time_.now());
    std::vector<queue_item> queued;
    deliveries_.for_each([&queued, &goes](queue_item item, const delivery& each) {
        if (each.at == delivery::stage::queued && goes(item))
            queued.push_back(item);
    });
    for (const auto item : queued)
        drop(item);
    delayed_.let_go(ids, [this](const job_in_progress& job) {
        add_busy(job.assignment, -1);
        if (!job.may_stand_twice)
            committer_.note_not_moving(job.assignment, job.offset);
    });
    sources_.let_go(ids);
    for (const auto id : ids) {
        keys_.forget(id);
        if (auto* const owner = committer_.find(id))
            owner->held = nullptr;
    }
}

std::size_t job_ledger::busy(const std::vector<assignment_id>& ids)
{
    std::size_t sum = 0;
    for (const auto id : ids)
        if (const auto* const owner = committer_.find(id))
            sum += owner->busy;
    return sum;
}

void job_ledger::count_end(const job_in_progress& job, job_state state, std::string_view reason)
{
    const auto find = [&]() -> metric_series& {
        return finished_.with(
            {job.job.app, std::string(job.job.kind->name), std::string(to_string(state)), std::string(reason)});
    };
    if (state != job_state::sent) {
        find().add();
        return;
    }
    auto& sent = sent_[{job.lane.app, job.lane.call}]; // as in sender_pool::count_attempt
    if (sent == nullptr)
        sent = &find();
    sent->add();
}

} // namespace wxcourier::engine
