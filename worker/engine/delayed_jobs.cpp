// SPDX-License-Identifier: Apache-2.0
#include "engine/delayed_jobs.hpp"

#include "codec/delayed_codec.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

/// A commit that says that a job may stand on a delayed topic is waited for so long. Without it (the metadata is full,
/// or the broker keeps too little) a crash may have the job sent twice; waiting on would stop the partition.
constexpr seconds longest_commit{5};
/// Records written in one turn of the loop, so that answers and timers are not kept waiting.
constexpr std::size_t most_written_at_once = 64;

std::vector<milliseconds> lengths_of(const delayed_options& options)
{
    std::vector<milliseconds> lengths;
    lengths.reserve(options.topics.size());
    for (const auto& each : options.topics)
        lengths.push_back(each.length);
    if (lengths.empty())
        lengths.emplace_back(std::chrono::minutes{1});
    return lengths;
}

/// What a record's wait goes by in the metric.
std::string metric_word(std::string_view reason)
{
    return reason.empty() ? "memory" : std::string(reason);
}

/// What the record says of the job besides the producer's own: where it comes from, why it waits, how far it has come.
domain::delayed_job taken_along(const job_in_progress& job, const delayed_jobs::wait& until, wall_time now)
{
    domain::delayed_job taken;
    taken.source = job.source;
    taken.due = until.until;
    taken.enqueued_at = job.record.enqueued_at;
    taken.end = until.end;
    taken.reason = until.reason;
    taken.waits_since = job.came_back && job.came_back->reason == until.reason ? job.came_back->waits_since : now;
    taken.reported = !until.reason.empty() && job.reported_wait == until.reason;
    taken.finished = job.finished.ranges();
    taken.failed = job.failed.ranges();
    taken.failed_for = job.failed_for();
    if (!job.failed.empty()) {
        taken.unknown = job.unknown.ranges();
        taken.failure_text = job.failure_text;
        if (job.failure_log)
            taken.failure = {.index = static_cast<std::int64_t>(job.failure_index),
                             .attempts = job.failure_log->attempts(),
                             .notes = job.failure_log->notes()};
    }
    taken.attempted = job.attempted;
    return taken;
}

/// The same in every release: both copies of a job go to one partition.
std::uint64_t route_of(const domain::source_position& source) noexcept
{
    std::uint64_t hash = 0xCBF29CE484222325; // FNV-1a
    for (const char byte : to_string(source))
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
    return hash ^ (hash >> 32U);
}

} // namespace

delayed_jobs::delayed_jobs(const engine_options& options, job_source& source, offset_committer& committer,
                           status_reporter& reporter, clock& time, metrics_registry& metrics, task_group& tasks,
                           std::function<void()> on_due)
    : options_(options), plan_(lengths_of(options.delayed)), source_(source), committer_(committer),
      reporter_(reporter), time_(time), tasks_(tasks), on_due_(std::move(on_due)), alarm_(time.make_alarm()),
      moved_(metrics["wxcourier_delayed_moved_total"])
{
    for (const auto& each : options_.delayed.topics)
        returned_.push_back(&metrics["wxcourier_delayed_returned_total"].with({each.name}));
}

std::optional<std::size_t> delayed_jobs::index_of(const std::string& topic) const
{
    const auto& topics = options_.delayed.topics;
    for (std::size_t i = 0; i < topics.size(); ++i)
        if (topics[i].name == topic)
            return i;
    return std::nullopt;
}

// ----------------------------------------------------------------------------------------------------------------
// Back

std::optional<inbound_record> delayed_jobs::poll(assignment_id assignment, std::size_t topic)
{
    const auto now = time_.wall_now();
    auto found = heads_.find(assignment);
    if (found == heads_.end()) {
        auto record = source_.poll(assignment);
        if (!record)
            return std::nullopt;
        const auto due = plan_.looked_at(topic, record->timestamp, now);
        found = heads_.emplace(assignment, head{topic, due, std::move(*record)}).first;
        if (due > now)
            alarm_->wake();
    }
    if (found->second.due > now)
        return std::nullopt;
    auto record = std::move(found->second.record);
    heads_.erase(found);
    returned_[topic]->add();
    return record;
}

std::optional<wall_time> delayed_jobs::next_due() const
{
    std::optional<wall_time> next;
    for (const auto& [id, each] : heads_)
        if (!next || each.due < *next)
            next = each.due;
    return next;
}

asio::awaitable<void> delayed_jobs::run()
{
    while (!stopping_) {
        auto next = next_due();
        if (next && *next <= time_.wall_now()) {
            on_due_(); // who has no room reads when there is some; look again when that may have happened
            next = time_.wall_now() + seconds{1};
        }
        std::optional<steady_time> at;
        if (next)
            at = time_.now() + (*next - time_.wall_now());
        co_await alarm_->wait_until(at);
    }
}

void delayed_jobs::stop()
{
    stopping_ = true;
    alarm_->wake();
}

// ----------------------------------------------------------------------------------------------------------------
// There

void delayed_jobs::move(const std::shared_ptr<job_in_progress>& job, const wait& until,
                        std::function<void(outcome)> done)
{
    const auto announcement = committer_.note_moving(job->assignment, job->offset);
    auto [place, is_first] = planned_.try_emplace(job->assignment);
    place->second.push_back({announcement, job, until, std::move(done)});
    ++planned_count_;
    if (is_first)
        tasks_.spawn(write_planned(job->assignment));
}

asio::awaitable<void> delayed_jobs::write_planned(assignment_id assignment)
{
    std::uint64_t covered = 0; // the changes up to this one may be taken for committed
    for (auto found = planned_.find(assignment); found != planned_.end(); found = planned_.find(assignment)) {
        auto& waiting = found->second;
        if (waiting.empty()) {
            planned_.erase(found);
            co_return;
        }
        if (waiting.front().announcement <= covered) {
            write_some(waiting, covered);
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            continue;
        }
        const auto wanted = waiting.front().announcement;
        const auto* owner = committer_.find(assignment);
        const auto newest = owner == nullptr ? wanted : owner->changes;
        const auto deadline = time_.now() + longest_commit;
        const bool stands = co_await committer_.secure(assignment, wanted, deadline);
        owner = committer_.find(assignment);
        if (owner == nullptr || (!stands && time_.now() < deadline)) { // it has ended, or all of it ends
            if (const auto node = planned_.extract(assignment))
                planned_count_ -= node.mapped().size();
            co_return;
        }
        if (stands)
            covered = owner->changes_committed;
        else if (!options_.delivery.at_most_once)
            covered = newest;
    }
}

/// As many as fit a turn of the loop.
void delayed_jobs::write_some(std::deque<planned_move>& waiting, std::uint64_t covered)
{
    for (std::size_t i = 0; i < most_written_at_once; ++i) {
        if (waiting.empty() || waiting.front().announcement > covered)
            return;
        const auto each = std::move(waiting.front());
        waiting.pop_front();
        --planned_count_;
        write(each);
    }
}

void delayed_jobs::write(const planned_move& planned)
{
    const auto& job = *planned.job;
    const auto& until = planned.until;
    const auto now = time_.wall_now();
    if (comes_too_late(planned, now)) {
        planned.done(outcome::too_late);
        return;
    }
    const auto index = plan_.topic_for(until.until - now, until.end);
    const auto& topic = options_.delayed.topics[index].name;
    outbound_record record{topic, job.record.key, job.record.value, job.record.headers,
                           partition_of(topic, job.source)};
    for (auto& [name, value] : codec::delayed_headers(taken_along(job, until, now)))
        record.headers.push_back({std::move(name), std::move(value)});
    reporter_.move(
        std::move(record),
        [this, done = planned.done, topic, reason = until.reason] {
            moved_.with({topic, metric_word(reason)}).add();
            done(outcome::stands);
        },
        [done = planned.done] { done(outcome::too_large); });
}

/// Its end has come near since the move was planned. One that may stand there already goes all the same: it has to meet
/// its copy.
bool delayed_jobs::comes_too_late(const planned_move& planned, wall_time now) const noexcept
{
    return planned.until.end == domain::wait_end::known && planned.until.until - now < plan_.shortest() &&
           !planned.job->may_stand_twice;
}

std::optional<std::int32_t> delayed_jobs::partition_of(const std::string& topic,
                                                       const domain::source_position& source) const
{
    const auto known = partitions_.find(topic);
    if (known == partitions_.end() || known->second <= 0)
        return std::nullopt;
    return static_cast<std::int32_t>(route_of(source) % static_cast<std::uint64_t>(known->second));
}

void delayed_jobs::let_go(const std::vector<assignment_id>& ids,
                          const std::function<void(const job_in_progress&)>& dropped)
{
    for (const auto id : ids) {
        heads_.erase(id);
        auto node = planned_.extract(id);
        if (node.empty())
            continue;
        planned_count_ -= node.mapped().size();
        for (const auto& each : node.mapped())
            dropped(*each.job);
    }
}

} // namespace wxcourier::engine
