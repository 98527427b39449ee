// SPDX-License-Identifier: Apache-2.0
#include "engine/intake.hpp"

#include "common/log.hpp"
#include "domain/reasons.hpp"
#include "engine/replayed_job.hpp"

#include <utility>

namespace wxcourier::engine {
namespace {

/// Records of one partition before the next has its turn.
constexpr std::size_t turn = 32;
/// What a job costs besides its texts, about.
constexpr std::size_t job_overhead = 768;

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

} // namespace

intake::intake(const engine_options& options, job_source& source, offset_committer& committer, job_ledger& ledger,
               memory_budget& memory, clock& time, metrics_registry& metrics)
    : options_(options), source_(source), committer_(committer), ledger_(ledger), memory_(memory), time_(time),
      metrics_(metrics)
{
    for (domain::app_index app = 0; app < options.apps.size(); ++app)
        add_app(app);
}

void intake::add_app(domain::app_index app)
{
    app_index_[options_.apps[app].name] = app;
    if (presence_.size() <= app)
        presence_.push_back(std::make_shared<char>());
    follow_apps();
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
        while (taken < turn && ledger_.has_room()) {
            auto* const partition = committer_.find(next_);
            if (partition == nullptr || !job_ledger::has_room(*partition))
                break;
            auto record = source_.poll(next_);
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

void intake::take(offset_committer::partition& from, inbound_record record)
{
    auto& topic = state_of(from.topic);
    topic.read->add();
    ++from.unmeasured;
    if (!from.tracker.begin(record.offset)) {
        committer_.note_progress(record.assignment); // it had finished before this process got the partition
        return;
    }
    const domain::source_position source{from.topic, from.number, record.offset};
    original_record original{std::move(record.key), std::move(record.value), std::move(record.headers),
                             record.timestamp};
    auto decoded = codec::decode_job(original.value, topic.rules, time_.wall_now());
    if (const auto* const why = std::get_if<codec::rejection>(&decoded)) {
        log::info("intake", "a record is no job; it goes to the dead letters",
                  {{"source", to_string(source)}, {"reason", why->reason}, {"error", why->error}});
        ledger_.reject(original, record.assignment, source, *why);
        return;
    }
    auto job =
        make_job(std::get<codec::decoded_job>(std::move(decoded)), std::move(original), record.assignment, source);
    if (!take_replay_note(*job)) {
        ledger_.reject(job->record, job->assignment, job->source, unreadable_replay(*job));
        return;
    }
    ledger_.admit(job, from.tracker.restored_partial(record.offset));
}

std::shared_ptr<job_in_progress> intake::make_job(codec::decoded_job decoded, original_record record,
                                                  assignment_id assignment, domain::source_position source)
{
    auto job = std::make_shared<job_in_progress>();
    job->assignment = assignment;
    job->source = std::move(source);
    job->lane = {app_index_.at(decoded.job.app),
                 static_cast<std::uint32_t>(decoded.job.kind - domain::all_kinds().data())};
    job->app_in_use = presence_[job->lane.app];
    job->memory = {memory_, job_overhead + record.value->size() + decoded.messages.footprint()};
    if (options_.max_age) {
        job->expires_at =
            std::max(record.enqueued_at, decoded.job.not_before.value_or(record.enqueued_at)) + *options_.max_age;
        job->expiry_reason = "too_old";
    }
    if (decoded.job.expire_at && (!job->expires_at || *decoded.job.expire_at <= *job->expires_at)) {
        job->expires_at = decoded.job.expire_at;
        job->expiry_reason = "expired";
    }
    job->record = std::move(record);
    job->job = std::move(decoded.job);
    job->messages = std::move(decoded.messages);
    return job;
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
