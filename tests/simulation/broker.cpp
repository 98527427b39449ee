// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker.hpp"

#include "codec/offset_metadata_codec.hpp"
#include "codec/status_codec.hpp"
#include "tests/simulation/process.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace wxcourier::simulation {

using engine::assignment_id;
using engine::commit_result;

broker::broker(test::manual_clock& time, chronicle& record, facts& truth, const setting& how)
    : time_(time), record_(record), truth_(truth), how_(how), partitions_(how.partitions)
{
}

steady_duration broker::delay()
{
    return record_.between(milliseconds{1}, milliseconds{record_.chance(0.02) ? 2000 : 20});
}

steady_duration broker::until_up() const
{
    return std::max(down_until_ - time_.now(), steady_duration{0});
}

const broker::told_assignment* broker::told(assignment_id id) const
{
    const auto found = told_.find(id);
    return found == told_.end() ? nullptr : &found->second;
}

bool broker::owns(assignment_id id) const
{
    const auto* const given = told(id);
    return given != nullptr && partitions_[at(given->partition)].assignment == id;
}

bool broker::all_committed() const
{
    return std::all_of(partitions_.begin(), partitions_.end(), [](const partition& each) {
        return each.records.empty() || each.stored.next_offset > each.records.back().offset;
    });
}

void broker::shrink_metadata(std::size_t bytes, steady_duration how_long)
{
    longest_metadata_ = bytes;
    metadata_short_until_ = time_.now() + how_long;
}

// ------------------------------------------------------------------------------------------------------- the jobs
// topic

void broker::append(std::int32_t number, engine::inbound_record record)
{
    auto& to = partitions_[at(number)];
    to.records.push_back(std::move(record));
    time_.after(delay(), [this, number] {
        auto* const owner = partitions_[at(number)].owner;
        if (owner != nullptr && owner->alive())
            owner->courier().on_records();
    });
}

std::optional<engine::inbound_record> broker::poll(process& by, assignment_id assignment)
{
    const auto found = told_.find(assignment);
    if (found == told_.end())
        return std::nullopt;
    auto& reader = found->second;
    const auto& records = partitions_[at(reader.partition)].records;
    const auto next = std::lower_bound(records.begin(), records.end(), reader.position,
                                       [](const auto& each, std::int64_t offset) { return each.offset < offset; });
    if (next == records.end())
        return std::nullopt;
    auto record = *next;
    record.assignment = assignment;
    reader.position = record.offset + 1;
    record_.note(static_cast<std::uint64_t>(record.offset), [&] {
        return by.name() + " reads " + std::to_string(reader.partition) + "/" + std::to_string(record.offset);
    });
    return record;
}

// ------------------------------------------------------------------------------------------------------------ the
// group

void broker::join(process& newcomer)
{
    if (!newcomer.alive() || std::find(members_.begin(), members_.end(), &newcomer) != members_.end())
        return;
    members_.push_back(&newcomer);
    time_.after(delay(), [this] { rebalance(); });
}

void broker::leave(process& gone, bool in_order)
{
    std::erase(members_, &gone);
    const auto noticed = in_order ? delay() : steady_duration(record_.between(seconds{1}, seconds{10}));
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
        auto& each = partitions_[i];
        if (each.owner != &gone)
            continue;
        each.disturbed = each.disturbed || !in_order;
        time_.after(noticed, [this, number = static_cast<std::int32_t>(i), id = each.assignment] {
            if (partitions_[at(number)].assignment == id)
                take_away(number);
        });
    }
}

void broker::take_away(std::int32_t number)
{
    auto& taken = partitions_[at(number)];
    taken.owner = nullptr;
    taken.assignment = 0;
    taken.moving = false;
    time_.after(delay(), [this, number] { assign(number); });
}

void broker::assign(std::int32_t number)
{
    auto& given = partitions_[at(number)];
    if (given.owner != nullptr || members_.empty())
        return;
    auto* const owner = members_[record_.below(members_.size())];
    const auto id = ++last_assignment_;
    given.owner = owner;
    given.assignment = id;
    given.moving = false;
    time_.after(delay(), [this, number, owner, id] {
        auto& told = partitions_[at(number)];
        if (told.assignment != id || !owner->alive())
            return;
        engine::partition_assignment news{id, "push.jobs", number, std::nullopt, {}};
        auto& entry = told_[id];
        entry.partition = number;
        entry.from = told.stored;
        entry.position = told.stored.next_offset;
        if (told.has_commit) {
            news.committed = told.stored.next_offset;
            news.commit_metadata = told.stored.metadata;
        }
        record_.note(id, [&] {
            return owner->name() + " gets partition " + std::to_string(number) + " from " +
                   std::to_string(told.stored.next_offset) + " as " + std::to_string(id);
        });
        owner->on_assigned(news);
    });
}

void broker::rebalance()
{
    if (members_.empty())
        return;
    std::map<process*, std::vector<std::int32_t>> going;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
        auto& each = partitions_[i];
        const auto number = static_cast<std::int32_t>(i);
        if (each.owner == nullptr)
            assign(number);
        else if (!each.moving && told_.contains(each.assignment) && record_.chance(0.5))
            going[each.owner].push_back(number);
    }
    // In the order of the members, so that a run repeats whatever the addresses.
    for (auto* const member : members_)
        if (const auto found = going.find(member); found != going.end())
            revoke(found->second);
}

void broker::revoke(const std::vector<std::int32_t>& going)
{
    auto* const owner = partitions_[at(going.front())].owner;
    std::vector<assignment_id> ids;
    for (const auto number : going) {
        auto& each = partitions_[at(number)];
        each.moving = true;
        ids.push_back(each.assignment);
        // Who does not let go in time is taken for dead.
        time_.after(how_.engine.revoke_timeout + seconds{4}, [this, number, owner, id = each.assignment] {
            if (partitions_[at(number)].assignment != id)
                return;
            partitions_[at(number)].disturbed = true;
            take_away(number);
            if (owner->alive())
                owner->on_lost({id});
        });
    }
    time_.after(delay(), [owner, ids] {
        if (owner->alive())
            owner->on_revoking(ids);
    });
}

void broker::release(process& by, const std::vector<assignment_id>& going)
{
    for (const auto id : going) {
        const auto& entry = told_.at(id);
        auto& each = partitions_[at(entry.partition)];
        if (each.assignment != id)
            continue;
        record_.note(id, [&] { return by.name() + " releases partition " + std::to_string(entry.partition); });
        // With at_most_once, what was committed and could not be finished in time is lost, as it says.
        for (const auto& [offset, job] : truth_.by_place[entry.partition])
            for (const auto& message : job->messages)
                each.disturbed = each.disturbed || (each.stored.covers(message) && message.statuses() == 0);
        take_away(entry.partition);
    }
}

void broker::expel(process& victim)
{
    if (std::erase(members_, &victim) == 0)
        return; // it was, and has not learned of it yet
    record_.note(0xE0, [&] { return "the group takes " + victim.name() + " for dead"; });
    std::vector<assignment_id> gone;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
        auto& each = partitions_[i];
        if (each.owner != &victim)
            continue;
        if (told_.contains(each.assignment))
            gone.push_back(each.assignment);
        each.disturbed = true;
        take_away(static_cast<std::int32_t>(i));
    }
    // At once it may get them back while requests of the lost assignments are still under way.
    const auto learns_within = record_.chance(0.5) ? milliseconds{30} : milliseconds{8000};
    time_.after(record_.between(milliseconds{1}, learns_within), [this, &victim, gone] {
        if (!victim.alive())
            return;
        if (!gone.empty())
            victim.on_lost(gone);
        join(victim);
    });
}

// --------------------------------------------------------------------------------------------------------------
// commits

std::uint64_t broker::commit(process& by, std::vector<engine::offset_commit> offsets)
{
    const auto number = ++last_commit_;
    if (until_up() > steady_duration{0} || (!well_behaved_ && record_.chance(0.02))) {
        // Kafka was not reachable. Whether the commit was kept is another question.
        const bool kept = until_up() == steady_duration{0} && record_.chance(0.5);
        time_.after(std::min<steady_duration>(until_up() + delay(), seconds{5}), [this, &by, number, kept,
                                                                                  offsets = std::move(offsets)] {
            if (kept)
                for (const auto& each : offsets)
                    static_cast<void>(store(each));
            if (by.alive())
                by.courier().on_committed(number, std::vector<commit_result>(offsets.size(), commit_result::failed));
        });
        return number;
    }
    time_.after(delay(), [this, &by, number, offsets = std::move(offsets)] { apply(by, number, offsets); });
    return number;
}

void broker::apply(process& by, std::uint64_t number, const std::vector<engine::offset_commit>& offsets)
{
    if (!by.alive() && record_.chance(0.5))
        return; // it died before the commit got here
    std::vector<commit_result> results;
    results.reserve(offsets.size());
    for (const auto& each : offsets)
        results.push_back(store(each));
    time_.after(delay(), [&by, number, results] {
        if (by.alive())
            by.courier().on_committed(number, results);
    });
}

commit_result broker::store(const engine::offset_commit& commit)
{
    const auto told = told_.find(commit.assignment);
    if (told == told_.end()) {
        record_.violate("a commit for an assignment that never was");
        return commit_result::rejected;
    }
    const auto number = told->second.partition;
    auto& to = partitions_[at(number)];
    if (to.assignment != commit.assignment)
        return commit_result::rejected;
    if (time_.now() < metadata_short_until_ && commit.metadata.size() > longest_metadata_) {
        // The one that follows goes without; where that is what stands there, there is nothing to commit.
        if (to.has_commit && to.stored.next_offset == commit.next_offset && to.stored.metadata.empty())
            told->second.without_metadata = true;
        return commit_result::metadata_too_large;
    }
    commit_fact next{commit.next_offset, commit.metadata, {}};
    auto progress = codec::decode_offset_metadata(commit.next_offset, commit.metadata);
    if (!progress || commit.metadata.size() > codec::longest_offset_metadata) {
        record_.violate("commit metadata that nobody can read: " + commit.metadata);
        return commit_result::rejected;
    }
    next.progress = std::move(*progress);
    record_.note(static_cast<std::uint64_t>(commit.next_offset), [&] {
        return "assignment " + std::to_string(commit.assignment) + " commits " + std::to_string(number) + "/" +
               std::to_string(commit.next_offset) + " " + commit.metadata;
    });
    if (commit.metadata.empty() && time_.now() < metadata_short_until_ + seconds{30})
        told->second.without_metadata = true;
    else
        check_commit(number, next);
    to.stored = std::move(next);
    to.has_commit = true;
    return commit_result::committed;
}

void broker::check_job(const job_fact& job)
{
    if (how_.engine.delivery.at_most_once && job.valid)
        return; // committed before it is sent
    if (!job.complete())
        record_.violate("job " + std::to_string(job.number) + " at " + std::to_string(job.partition) + "/" +
                        std::to_string(job.offset) + " is committed before its statuses and letter stand");
}

void broker::check_commit(std::int32_t number, const commit_fact& next)
{
    const auto& before = partitions_[at(number)].stored;
    if (next.next_offset < before.next_offset)
        record_.violate("a commit went backwards");
    const auto& jobs = truth_.by_place[number];
    for (auto job = jobs.lower_bound(before.next_offset); job != jobs.end() && job->first < next.next_offset; ++job)
        check_job(*job->second);
    for (const auto& range : next.progress.finished)
        for (auto job = jobs.lower_bound(range.first); job != jobs.end() && job->first <= range.last; ++job)
            check_job(*job->second);
    for (const auto* const partial : next.partials()) {
        if (how_.engine.delivery.at_most_once)
            break;
        const auto job = jobs.find(partial->offset);
        if (job == jobs.end() || !job->second->fanned_out)
            record_.violate("a commit tells of a job with recipients that is none");
        else
            for (const auto& message : job->second->messages)
                if (message.statuses() == 0 && next.covers(message))
                    record_.violate("a recipient is committed before its status stands");
    }
    for (const auto& [offset, job] : jobs)
        if (offset >= before.next_offset)
            for (const auto& message : job->messages)
                if (before.covers(message) && !next.covers(message))
                    record_.violate("a commit forgets what an earlier one had finished");
}

// ------------------------------------------------------------------------------------- the status and dead-letter
// topics

void broker::publish(process& by, engine::outbound_record record, std::uint64_t ticket)
{
    // An acknowledged record stands; one that is still on its way may be lost with its process.
    by.last_store = std::max(by.last_store, time_.now() + until_up() + delay());
    auto kept = std::make_shared<engine::outbound_record>(std::move(record));
    time_.at(by.last_store, [this, &by, kept, ticket] {
        if (!by.alive() && record_.chance(0.5))
            return;
        auto result = engine::publish_result::acknowledged;
        if (kept->topic == how_.engine.dead_letter_topic && kept->value && kept->value->size() > how_.largest_letter)
            result = engine::publish_result::too_large;
        else
            take_record(by, *kept);
        time_.after(delay(), [&by, ticket, result] {
            if (by.alive())
                by.courier().on_published(ticket, result);
        });
    });
}

void broker::follow(process& reader)
{
    if (!how_.engine.fleet)
        return;
    followers_.push_back(&reader);
    tell_of_log(reader, true);
}

/// @param all_there_was  what stands there now is all that stood there when the reader began.
void broker::tell_of_log(process& reader, bool all_there_was)
{
    reader.last_heard = std::max(reader.last_heard, time_.now() + until_up() + delay());
    time_.at(reader.last_heard, [this, &reader, end = fleet_log_.size(), all_there_was] {
        for (; reader.alive() && reader.log_read < end; ++reader.log_read)
            reader.courier().fleet_log()->on_log_record(fleet_log_[reader.log_read]);
        if (reader.alive() && all_there_was)
            reader.courier().fleet_log()->on_log_caught_up();
    });
}

void broker::take_record(process& by, const engine::outbound_record& record)
{
    if (how_.engine.fleet && record.topic == how_.engine.fleet->fleet_topic) {
        fleet_log_.push_back({record.topic, record.key, record.value, static_cast<std::int64_t>(fleet_log_.size())});
        for (auto* const each : followers_)
            if (each->alive())
                tell_of_log(*each, false);
        return;
    }
    if (record.topic == how_.engine.status_topic) {
        take_status(by, record.value.value_or(""));
        return;
    }
    for (const auto& header : record.headers) {
        if (header.name != "wxcourier.source")
            continue;
        const auto& source = *header.value; // push.jobs/PARTITION/OFFSET
        const auto slash = source.rfind('/');
        const auto partition = std::stoi(source.substr(source.find('/') + 1));
        auto* const job = truth_.by_place[partition].at(std::stoll(source.substr(slash + 1)));
        ++job->letters;
        record_.note(0xDE, [&] { return by.name() + " buries job " + std::to_string(job->number); });
    }
}

void broker::take_status(const process& by, const std::string& json)
{
    using enum domain::job_state;
    const auto status = codec::decode_status(json);
    if (!status) {
        record_.violate("a status that nobody can read: " + json);
        return;
    }
    const auto partition = status->source.partition;
    auto& job = *truth_.by_place[partition].at(status->source.offset);
    auto& message = job.valid ? truth_.message(status->touser.value_or("")) : job.messages.front();
    record_.note(static_cast<std::uint64_t>(status->state), [&] {
        return by.name() + " reports " + status->touser.value_or("(rejected)") + " " +
               std::string(to_string(status->state)) + " " + status->reason;
    });
    if (message.job != &job)
        record_.violate("a status names the wrong source");
    if (status->state == deferred)
        return;
    const auto given = by.assignments.find(partition);
    if (++message.by_worker[status->worker] > (given == by.assignments.end() ? 0 : given->second))
        record_.violate("two terminal statuses of one recipient by one process: " + status->touser.value_or("(none)"));
    const bool may_have_arrived = status->reason == "outcome_unknown" || status->reason == "retries_exhausted";
    switch (status->state) {
    case sent:
        ++message.sent_statuses;
        record_.require(message.deliveries > 0, "a recipient is `sent` who got nothing");
        break;
    case failed:
        ++message.failed_statuses;
        record_.require(may_have_arrived || message.deliveries == 0, "a recipient is `failed` who got the message");
        break;
    case expired:
        ++message.expired_statuses;
        record_.require(how_.clocks_jump || job.expire_at <= time_.wall_now(), "a job expired before its time");
        break;
    default:
        ++message.failed_statuses;
        if (status->state != rejected || job.valid)
            record_.violate("a state that fits no job: " + json);
    }
}

} // namespace wxcourier::simulation
