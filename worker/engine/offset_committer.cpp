// SPDX-License-Identifier: Apache-2.0
#include "engine/offset_committer.hpp"

#include "codec/offset_metadata_codec.hpp"
#include "common/log.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace wxcourier::engine {
namespace {

constexpr std::size_t metadata_stop = codec::longest_offset_metadata / 4 * 3;
/// Kafka was not reachable: the commit is tried again after this.
constexpr milliseconds retry_after{500};
/// So many jobs that wait for a commit before they move make one due: they hold up what stands behind them.
constexpr std::size_t most_announced = 512;

/// What a commit says besides its offset. Should it be too long all the same, the highest ranges go: what they held may
/// be sent again after a crash, which is better than a commit that the broker refuses.
std::string shortened(std::int64_t committed, domain::commit_progress progress)
{
    const auto all = progress.finished;
    std::string text;
    std::size_t fits = 0;
    for (std::size_t left = all.size(); left != 0;) {
        const auto half = (left + 1) / 2;
        progress.finished.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(fits + half));
        auto longer = codec::encode_offset_metadata(committed, progress);
        left -= half;
        if (longer.size() > codec::longest_offset_metadata) {
            left = half - 1;
            continue;
        }
        fits += half;
        text = std::move(longer);
    }
    return text;
}

/// All that a commit of the partition has to say besides its offset.
domain::commit_progress progress_of(const offset_committer::partition& from)
{
    auto progress = from.tracker.progress();
    // What is known in memory precedes what an earlier assignment wrote, which holds for the others: they have not been
    // read again, or wait for their app to become known, or have been let go.
    std::vector<domain::partial_job> partials;
    std::set<std::int64_t> known;
    const auto add = [&partials, &known](const job_in_progress& job) {
        known.insert(job.offset);
        if (!job.finished.empty())
            partials.push_back({job.offset, job.finished.ranges(), job.failed.ranges(), job.failed_for()});
    };
    for (const auto& each : from.fan_outs)
        add(*each);
    if (from.held)
        add(*from.held);
    const auto add_written = [&partials, &known](domain::partial_job& written) {
        if (!known.contains(written.offset))
            partials.push_back(std::move(written));
    };
    if (progress.partial)
        add_written(*progress.partial);
    std::for_each(progress.further.begin(), progress.further.end(), add_written);
    progress.partial.reset();
    progress.further.clear();
    if (!partials.empty()) {
        progress.partial = std::move(partials.front());
        progress.further.assign(std::make_move_iterator(partials.begin() + 1), std::make_move_iterator(partials.end()));
    }
    domain::index_set moving;
    for (const auto offset : from.moving)
        moving.insert(offset);
    auto ranges = moving.ranges();
    for (const auto& each : progress.moving) {
        if (!ranges.empty() && ranges.back().last + 1 >= each.first)
            ranges.back().last = each.last;
        else
            ranges.push_back(each);
    }
    progress.moving = std::move(ranges);
    return progress;
}

} // namespace

offset_committer::offset_committer(job_source& source, clock& time, metrics_registry& metrics,
                                   milliseconds commit_interval, std::size_t eager_after, bool may_forget)
    : source_(source), time_(time), interval_(commit_interval), eager_after_(eager_after), may_forget_(may_forget),
      due_(time.make_alarm()), settled_(time), commits_(metrics["wxcourier_commits_total"]),
      metadata_ignored_(metrics["wxcourier_commit_metadata_ignored_total"].with())
{
}

void offset_committer::add(const partition_assignment& assigned)
{
    domain::commit_progress progress;
    if (assigned.committed) {
        if (auto decoded = codec::decode_offset_metadata(*assigned.committed, assigned.commit_metadata)) {
            progress = std::move(*decoded);
        } else {
            metadata_ignored_.add();
            log::warn("committer",
                      "commit metadata could not be read; what had finished beyond the commit is sent again",
                      {{"topic", assigned.topic}, {"partition", assigned.partition}, {"offset", *assigned.committed}});
        }
    }
    partition entry{.topic = assigned.topic,
                    .number = assigned.partition,
                    .tracker = domain::offset_tracker(assigned.committed, std::move(progress)),
                    .fan_outs = {},
                    .held = nullptr,
                    .moving = {},
                    .delayed = std::nullopt,
                    .committed = std::nullopt};
    if (assigned.committed)
        entry.committed = {*assigned.committed, assigned.commit_metadata};
    partitions_.insert_or_assign(assigned.id, std::move(entry));
}

void offset_committer::remove(assignment_id id)
{
    if (auto* const owner = find(id))
        at_risk_ -= owner->at_risk;
    partitions_.erase(id);
    settled_.notify();
    on_room_();
}

offset_committer::partition* offset_committer::find(assignment_id id)
{
    const auto found = partitions_.find(id);
    return found == partitions_.end() ? nullptr : &found->second;
}

void offset_committer::note_sent(assignment_id id)
{
    if (auto* const owner = find(id)) {
        ++owner->at_risk;
        ++at_risk_;
    }
}

void offset_committer::settle(partition& of, std::size_t messages)
{
    of.at_risk -= messages;
    at_risk_ -= messages;
}

void offset_committer::finish(assignment_id id, std::int64_t offset, std::size_t sent)
{
    if (finish_offset(id, offset) != nullptr)
        finish_message(id, sent);
}

/// Null: the partition went; its new owner reads the record again, or has it from the metadata.
offset_committer::partition* offset_committer::finish_offset(assignment_id id, std::int64_t offset)
{
    auto* const owner = find(id);
    if (owner == nullptr)
        return nullptr;
    owner->tracker.finish(offset);
    owner->moving.erase(offset);
    return owner;
}

void offset_committer::finish_message(assignment_id id, std::size_t sent)
{
    auto* const owner = find(id);
    if (owner == nullptr)
        return;
    owner->settling += sent;
    ++owner->changes;
    ++finished_since_commit_;
    note_progress(id);
}

std::uint64_t offset_committer::note_moving(assignment_id id, std::int64_t offset)
{
    auto* const owner = find(id);
    if (owner == nullptr)
        return 0;
    if (!owner->moving.insert(offset).second)
        return owner->changes;
    const auto change = ++owner->changes;
    ++announced_since_commit_;
    note_progress(id);
    return change;
}

void offset_committer::finish_moved(assignment_id id, std::int64_t offset)
{
    auto* const owner = finish_offset(id, offset);
    if (owner == nullptr)
        return;
    ++owner->changes; // nobody waits for the commit that says so
    note_progress(id);
}

void offset_committer::note_not_moving(assignment_id id, std::int64_t offset)
{
    if (auto* const owner = find(id); owner != nullptr && owner->moving.erase(offset) != 0)
        note_progress(id);
}

void offset_committer::note_progress(assignment_id id)
{
    auto* const owner = find(id);
    if (owner == nullptr)
        return;
    owner->changed = true;
    if (is_eager() && !under_way_ && !not_before_) {
        begin_commit();
    } else if (!commit_at_) {
        commit_at_ = time_.now() + interval_;
        due_->wake();
    }
}

bool offset_committer::is_eager() const noexcept
{
    return finished_since_commit_ >= eager_after_ || announced_since_commit_ >= most_announced;
}

std::optional<offset_commit> offset_committer::next_commit(assignment_id id, partition& from)
{
    from.changed = false;
    const auto offset = from.tracker.committable();
    if (!offset)
        return std::nullopt;
    auto progress = progress_of(from);
    auto metadata = codec::encode_offset_metadata(*offset, progress);
    from.metadata_full = metadata.size() > metadata_stop;
    from.unmeasured =
        from.tracker.span() - (progress.finished.empty() ? 0 : progress.finished.back().last + 1 - *offset);
    bool complete = metadata.size() <= codec::longest_offset_metadata;
    if (!complete && !may_forget_) {
        from.changed = true;
        return std::nullopt; // whatever finishes next has it tried again
    }
    if (!complete)
        metadata = shortened(*offset, std::move(progress));
    if (std::erase(without_metadata_, id) != 0) {
        complete = metadata.empty();
        metadata.clear();
    }
    from.changes_in_commit = complete ? from.changes : from.changes_committed;
    from.in_commit = std::exchange(from.settling, 0);
    if (from.committed && from.committed->first == *offset && from.committed->second == metadata) {
        from.changes_committed = from.changes_in_commit;
        settle(from, std::exchange(from.in_commit, 0));
        return std::nullopt;
    }
    return offset_commit{id, *offset, std::move(metadata)};
}

void offset_committer::begin_commit()
{
    commit_at_.reset();
    not_before_.reset();
    finished_since_commit_ = 0;
    announced_since_commit_ = 0;
    committing_.clear();
    for (auto& [id, each] : partitions_)
        if (each.changed)
            if (auto commit = next_commit(id, each))
                committing_.push_back(std::move(*commit));
    if (!committing_.empty())
        under_way_ = source_.commit(committing_);
    else {
        settled_.notify();
        on_room_();
    }
}

void offset_committer::on_committed(std::uint64_t commit, const std::vector<commit_result>& results)
{
    if (under_way_ != commit)
        return;
    under_way_.reset();
    static constexpr std::array<std::string_view, 4> names{"committed", "rejected", "metadata_too_large", "failed"};
    bool again_later = false;
    for (std::size_t i = 0; i < committing_.size() && i < results.size(); ++i) {
        commits_.with({std::string(names.at(static_cast<std::size_t>(results[i])))}).add();
        auto* const owner = find(committing_[i].assignment);
        if (owner == nullptr)
            continue;
        if (results[i] != commit_result::committed)
            owner->settling += std::exchange(owner->in_commit, 0);
        switch (results[i]) {
        case commit_result::committed:
            owner->refused = false;
            owner->changes_committed = owner->changes_in_commit;
            settle(*owner, std::exchange(owner->in_commit, 0));
            owner->committed = {committing_[i].next_offset, std::move(committing_[i].metadata)};
            break;
        case commit_result::metadata_too_large:
            note_too_long(*owner);
            owner->changed = true;
            if (may_forget_)
                without_metadata_.push_back(committing_[i].assignment);
            else
                again_later = true;
            break;
        case commit_result::rejected:
            log::warn("committer", "commit refused; the partition is about to move",
                      {{"topic", owner->topic}, {"partition", owner->number}});
            owner->refused = true;
            [[fallthrough]];
        case commit_result::failed:
            owner->changed = true;
            again_later = true;
            break;
        }
    }
    const bool more =
        std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return each.second.changed; });
    if (more && (again_later || !is_eager())) {
        commit_at_ = time_.now() + (again_later ? retry_after : interval_);
        if (again_later)
            not_before_ = commit_at_;
        due_->wake();
    } else if (more) {
        begin_commit();
    }
    settled_.notify();
    on_room_();
}

void offset_committer::note_too_long(partition& of) const
{
    if (std::exchange(of.too_long_told, true))
        return;
    log::error("committer",
               "the broker keeps too little commit metadata (offset.metadata.max.bytes; 4096 is Kafka's own)",
               {{"topic", of.topic},
                {"partition", of.number},
                {"therefore", may_forget_ ? "a crash sends again what had finished out of order"
                                          : "jobs wait until those before them have finished"}});
}

bool offset_committer::settled(const std::vector<assignment_id>& ids) const
{
    if (under_way_ && std::any_of(committing_.begin(), committing_.end(), [&ids](const offset_commit& each) {
            return std::find(ids.begin(), ids.end(), each.assignment) != ids.end();
        }))
        return false;
    return std::none_of(ids.begin(), ids.end(), [this](assignment_id id) {
        const auto found = partitions_.find(id);
        return found != partitions_.end() && found->second.changed && !found->second.refused;
    });
}

asio::awaitable<bool> offset_committer::flush(std::vector<assignment_id> ids, steady_time deadline)
{
    while (!settled(ids) && !stopping_) {
        if (!under_way_ && (!not_before_ || *not_before_ <= time_.now()))
            begin_commit();
        if (settled(ids))
            break;
        co_await settled_.wait_until(under_way_ || !not_before_ ? deadline : std::min(deadline, *not_before_));
        if (time_.now() >= deadline)
            break;
    }
    co_return std::none_of(ids.begin(), ids.end(),
                           [this](assignment_id id) {
                               const auto* const owner = find(id);
                               return owner != nullptr && owner->changed;
                           }) &&
        settled(ids);
}

asio::awaitable<bool> offset_committer::secure(assignment_id id)
{
    const auto* const owner = find(id);
    co_return co_await secure(id, owner == nullptr ? 0 : owner->changes, std::nullopt);
}

asio::awaitable<bool> offset_committer::secure(assignment_id id, std::uint64_t change,
                                               std::optional<steady_time> deadline)
{
    const auto* owner = find(id);
    while (owner != nullptr && owner->changes_committed < change && !stopping_) {
        if (deadline && time_.now() >= *deadline)
            co_return false;
        co_await settled_.wait_until(deadline);
        owner = find(id);
    }
    co_return owner != nullptr && owner->changes_committed >= change;
}

asio::awaitable<void> offset_committer::run()
{
    while (!stopping_) {
        if (commit_at_ && *commit_at_ <= time_.now() && !under_way_)
            begin_commit();
        // While a commit is under way its answer sets the next time.
        co_await due_->wait_until(under_way_ ? std::nullopt : commit_at_);
    }
}

void offset_committer::stop()
{
    stopping_ = true;
    due_->wake();
    settled_.notify();
}

} // namespace wxcourier::engine
