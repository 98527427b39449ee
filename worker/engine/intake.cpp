// SPDX-License-Identifier: Apache-2.0
#include "engine/intake.hpp"

#include "codec/delayed_codec.hpp"
#include "common/log.hpp"
#include "common/moment.hpp"
#include "domain/reasons.hpp"
#include "engine/replayed_job.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace wxcourier::engine {
namespace {

/// Records of one partition before the next has its turn.
constexpr std::size_t turn = 32;
/// What a job and its message cost besides their texts, about.
constexpr std::size_t job_overhead = 1280;

/// To whom a replayed job goes cannot be read, and it must not go to all.
codec::rejection unreadable_replay(const job_in_progress& job)
{
    codec::rejection why;
    why.reason = domain::reason::invalid_job;
    why.error = "the header wxcourier.recipients cannot be read, expected indices such as 0-99,731";
    why.id = job.job.id;
    why.app = job.job.app;
    why.kind = std::string(job.job.kind->name);
    why.labels = job.job.labels;
    return why;
}

/// Takes off a record from a delayed topic what wxcourier had added to it. Null: it is not from there.
std::unique_ptr<const domain::delayed_job> take_delayed_headers(std::vector<header>& headers)
{
    const auto last = std::find_if(headers.rbegin(), headers.rend(),
                                   [](const header& each) { return each.name == codec::delayed_mark; });
    if (last == headers.rend())
        return nullptr;
    const auto mark = last.base() - 1;
    std::vector<std::pair<std::string_view, std::string_view>> added;
    for (auto each = mark; each != headers.end(); ++each)
        added.emplace_back(each->name, each->value ? std::string_view(*each->value) : std::string_view{});
    auto job = codec::decode_delayed_headers(added);
    if (!job)
        return nullptr;
    headers.erase(mark, headers.end());
    return std::make_unique<const domain::delayed_job>(std::move(*job));
}

} // namespace

intake::intake(const engine_options& options, job_source& source, offset_committer& committer, job_ledger& ledger,
               delayed_jobs& delayed, memory_budget& memory, memory_shares& shares, clock& time,
               metrics_registry& metrics)
    : options_(options), source_(source), committer_(committer), ledger_(ledger), delayed_(delayed), memory_(memory),
      shares_(shares), time_(time), metrics_(metrics), unknown_(time, metrics)
{
    for (domain::app_index app = 0; app < options.apps.size(); ++app)
        add_app(app);
}

void intake::add_app(domain::app_index app)
{
    app_index_[options_.apps[app].name] = app;
    if (presence_.size() <= app) {
        presence_.push_back(std::make_shared<char>());
        decoded_.emplace_back(domain::all_kinds().size(), nullptr);
    }
    follow_apps();
    for (auto& each : unknown_.take_known(options_.apps[app].name))
        known_now_.push_back(std::move(each));
}

void intake::remove_app(const std::string& name)
{
    app_index_.erase(name);
    follow_apps();
}

void intake::follow_apps()
{
    for (auto& [name, topic] : topics_)
        topic.rules = job_rules_of(options_, name);
}

bool intake::read(std::size_t most)
{
    if (!known_now_.empty() && !stopped_)
        admit_known();
    std::size_t read = 0;
    std::size_t dry = 0; // partitions in a row that gave nothing
    while (!stopped_ && ledger_.has_room()) {
        const auto& partitions = committer_.partitions();
        if (dry >= partitions.size())
            return true;
        if (read >= most)
            return false;
        auto position = partitions.upper_bound(next_);
        if (position == partitions.end())
            position = partitions.begin();
        next_ = position->first;
        std::size_t taken = 0;
        const moment of_this_turn;
        while (taken < turn && ledger_.has_room()) {
            auto* const partition = committer_.find(next_);
            if (partition == nullptr || !ledger_.admit_held(*partition) || !ledger_.has_room(*partition))
                break;
            auto record = poll(next_, *partition);
            if (!record)
                break;
            take(*partition, std::move(*record));
            ++taken;
        }
        read += taken;
        dry = taken == 0 ? dry + 1 : 0;
    }
    return true; // no room: whoever makes some calls again
}

std::optional<inbound_record> intake::poll(assignment_id assignment, const offset_committer::partition& from)
{
    return from.delayed ? delayed_.poll(assignment, *from.delayed) : source_.poll(assignment);
}

void intake::take(offset_committer::partition& from, inbound_record record)
{
    ++from.unmeasured;
    if (!from.delayed)
        state_of(from.topic).read->add();
    if (!from.tracker.begin(record.offset)) {
        committer_.note_progress(record.assignment); // it had finished before this process got the partition
        return;
    }
    auto job = std::make_shared<job_in_progress>();
    job->assignment = record.assignment;
    job->offset = record.offset;
    job->written_at = record.timestamp;
    job->source = {from.topic, from.number, record.offset};
    job->record = {std::move(record.key), std::move(record.value), std::move(record.headers), record.timestamp};
    if (from.delayed)
        job->came_back = take_delayed_headers(job->record.headers);
    if (job->came_back) {
        job->source = job->came_back->source;
        job->record.enqueued_at = job->came_back->enqueued_at;
    }
    if (from.tracker.was_moving(job->offset)) {
        job->may_stand_twice = true;
        committer_.note_moving(job->assignment, job->offset);
    }
    judge(job, true);
}

void intake::judge(const std::shared_ptr<job_in_progress>& job, bool may_wait)
{
    auto accepted_as_of = time_.wall_now();
    // Its `not_before` was near enough when it came; a clock that went back meanwhile does not change that.
    if (job->came_back)
        accepted_as_of = std::max(accepted_as_of, job->came_back->enqueued_at);
    auto decoded = codec::decode_job(job->record.value, state_of(job->source.topic).rules, accepted_as_of);
    if (const auto* const why = std::get_if<codec::rejection>(&decoded)) {
        if (may_wait && why->reason == domain::reason::unknown_app && why->app && unknown_.keep(job, *why->app))
            return;
        log::info("intake", "a record is no job; it goes to the dead letters",
                  {{"source", to_string(job->source)}, {"reason", why->reason}, {"error", why->error}});
        ledger_.reject(job->record, job->assignment, job->offset, job->source, *why);
        return;
    }
    fill(*job, std::get<codec::decoded_job>(std::move(decoded)));
    if (!job->came_back)
        count_decoded(job->lane);
    if (!take_replay_note(*job)) {
        ledger_.reject(job->record, job->assignment, job->offset, job->source, unreadable_replay(*job));
        return;
    }
    ledger_.admit(job, committer_.find(job->assignment)->tracker.restored_partial(job->offset));
}

void intake::count_decoded(domain::lane where)
{
    auto& series = decoded_[where.app][where.call];
    if (series == nullptr)
        series = &metrics_["wxcourier_jobs_decoded_total"].with(
            {options_.apps[where.app].name, std::string(domain::all_kinds()[where.call].name)});
    series->add();
}

/// Those whose partitions have room, each partition's in their order.
void intake::admit_known()
{
    std::deque<std::shared_ptr<job_in_progress>> left;
    std::set<assignment_id> full;
    for (auto& job : std::exchange(known_now_, {})) {
        const auto* const partition = committer_.find(job->assignment);
        if (partition == nullptr)
            continue;
        if (full.contains(job->assignment) || !ledger_.has_room() || !ledger_.has_room(*partition)) {
            full.insert(job->assignment);
            left.push_back(std::move(job));
        } else {
            judge(job, true);
        }
    }
    known_now_ = std::move(left);
}

void intake::give_up_on_unknown_apps()
{
    for (const auto& job : unknown_.take_overdue())
        if (const auto* const partition = committer_.find(job->assignment); partition != nullptr && !partition->going)
            judge(job, false);
}

void intake::let_go(const std::vector<assignment_id>& ids)
{
    unknown_.let_go(ids);
    std::erase_if(known_now_,
                  [&ids](const auto& job) { return std::find(ids.begin(), ids.end(), job->assignment) != ids.end(); });
}

void intake::fill(job_in_progress& job, codec::decoded_job decoded)
{
    job.lane = {app_index_.at(decoded.job.app),
                static_cast<std::uint32_t>(decoded.job.kind - domain::all_kinds().data())};
    job.app_in_use = presence_[job.lane.app];
    const auto bytes = job_overhead + job.record.value->size() + decoded.messages.footprint();
    job.memory = {memory_, bytes};
    job.app_memory = shares_.hold(job.lane.app, bytes);
    if (options_.max_age) {
        job.expires_at = std::max(job.record.enqueued_at, decoded.job.not_before.value_or(job.record.enqueued_at)) +
                         *options_.max_age;
        job.expiry_reason = "too_old";
    }
    if (decoded.job.expire_at && (!job.expires_at || *decoded.job.expire_at <= *job.expires_at)) {
        job.expires_at = decoded.job.expire_at;
        job.expiry_reason = "expired";
    }
    job.job = std::move(decoded.job);
    job.messages = std::move(decoded.messages);
}

intake::topic_state& intake::state_of(const std::string& topic)
{
    const auto found = topics_.find(topic);
    if (found != topics_.end())
        return found->second;
    auto& read = metrics_["wxcourier_jobs_read_total"].with({topic});
    return topics_.emplace(topic, topic_state{job_rules_of(options_, topic), &read}).first->second;
}

} // namespace wxcourier::engine
