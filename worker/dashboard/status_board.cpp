// SPDX-License-Identifier: Apache-2.0
#include "dashboard/status_board.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace wxcourier::dashboard {
namespace {

using domain::job_state;

constexpr std::size_t most_columns = 240;
constexpr std::size_t most_buckets = 1500;
constexpr std::size_t spark_points = 48;
constexpr std::size_t most_examples = 3;
constexpr std::size_t most_failures = 50;
constexpr std::size_t most_apps_of_a_failure = 5;
constexpr std::size_t longest_worker = 128;
constexpr seconds overdue_after{60};
constexpr auto shortest_span = std::chrono::minutes{5};

bool is_failure(job_state state)
{
    using enum job_state;
    return state == failed || state == rejected || state == expired || state == undelivered;
}

bool is_sent(job_state state)
{
    return state == job_state::sent || state == job_state::simulated;
}

/// Counts by latency.
class histogram {
public:
    void add(latency_bin bin, std::uint64_t count)
    {
        if (bins_.empty())
            bins_.resize(no_latency, 0);
        bins_[bin] += count;
        total_ += count;
    }
    /// The value that so many of a hundred do not exceed; -1: there is none.
    [[nodiscard]] std::int64_t percentile(std::uint64_t percent) const
    {
        if (total_ == 0)
            return -1;
        const auto rank = std::max<std::uint64_t>(1, (total_ * percent + 99) / 100);
        std::uint64_t below = 0;
        for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
            below += bins_[bin];
            if (below >= rank)
                return middle_of(static_cast<latency_bin>(bin));
        }
        return -1;
    }
    [[nodiscard]] latency_summary summary() const { return {total_, percentile(50), percentile(90), percentile(99)}; }
    void clear()
    {
        std::fill(bins_.begin(), bins_.end(), 0);
        total_ = 0;
    }

private:
    std::vector<std::uint64_t> bins_;
    std::uint64_t total_ = 0;
};

milliseconds ceil_to(milliseconds value, milliseconds step)
{
    return (value + step - milliseconds{1}) / step * step;
}

/// The width of columns of which at most `most_columns` hold `span`: one that people reckon in, of whole buckets.
milliseconds step_for(milliseconds span, seconds bucket)
{
    for (const int each :
         {1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800})
    {
        const seconds step{each};
        if (step % bucket == seconds{0} && span / step + 2 <= static_cast<std::int64_t>(most_columns))
            return step;
    }
    const auto buckets = span / bucket / static_cast<std::int64_t>(most_columns - 2) + 1;
    return bucket * buckets;
}

} // namespace

/// One look at the board: collects the view in passes over series, counts, waits and records.
class status_board::inquiry {
public:
    inquiry(const status_board& board, const board_query& query, wall_time now) : board_(board), query_(query)
    {
        view_.now = now;
        choose_range();
        choose_series();
    }

    board_view result()
    {
        count();
        finish_groups();
        finish_failures();
        collect_waiting();
        collect_examples();
        collect_recent();
        return std::move(view_);
    }

private:
    static constexpr std::uint16_t none = 0xFFFF;

    struct chosen_series {
        bool counted = false;
        std::uint16_t group = none;
        std::uint16_t failure = none;
    };
    struct failure_count {
        std::map<std::string, std::uint64_t> apps;
        std::size_t first = most_columns;
        std::size_t last = 0;
    };

    void choose_range()
    {
        const auto end = query_.to.value_or(view_.now);
        const auto kept_from = board_.levels_.reaches_back_to(board_.levels_.size() - 1);
        auto begin = std::min(std::max(board_.oldest_.value_or(end), kept_from), end - shortest_span);
        if (query_.last)
            begin = view_.now - *query_.last;
        else if (query_.from)
            begin = std::min(*query_.from, end - milliseconds{1});
        level_ = board_.levels_.level_for(begin, end, most_buckets);
        view_.step = step_for(end - begin, board_.levels_.width(level_));
        // Whole columns, which hold the first and the last moment of the range.
        view_.to = wall_time{ceil_to(end.time_since_epoch() + milliseconds{query_.to ? 0 : 1}, view_.step)};
        view_.columns = static_cast<std::size_t>(ceil_to(view_.to - begin, view_.step) / view_.step);
        view_.from = view_.to - view_.step * view_.columns;
        const auto reach = board_.levels_.reaches_back_to(level_);
        if (reach > view_.from && board_.oldest_ && *board_.oldest_ < reach)
            view_.complete_from = reach;
    }

    bool matches(const status_series& each) const
    {
        return (!query_.app || each.app == *query_.app) && (!query_.kind || each.kind == *query_.kind) &&
               (!query_.state || each.state == *query_.state);
    }

    void choose_series()
    {
        std::map<std::pair<std::string, std::string>, std::uint16_t> groups;
        std::map<std::tuple<job_state, std::string, std::optional<int>>, std::uint16_t> failures;
        std::set<std::string> apps;
        std::set<std::string> kinds;
        chosen_.resize(board_.series_.size());
        for (std::size_t id = 0; id < chosen_.size(); ++id) {
            const auto& each = board_.series_[static_cast<series_id>(id)];
            if (id >= state_count) {
                apps.insert(each.app);
                kinds.insert(each.kind);
            }
            if (!matches(each))
                continue;
            auto& chosen = chosen_[id];
            chosen.counted = true;
            if (each.state != job_state::event) {
                const auto next = static_cast<std::uint16_t>(groups.size());
                chosen.group = groups.try_emplace({each.app, each.kind}, next).first->second;
                if (chosen.group == view_.groups.size())
                    view_.groups.push_back({each.app, each.kind, {}, {}});
            }
            if (is_failure(each.state)) {
                const auto next = static_cast<std::uint16_t>(failures.size());
                chosen.failure = failures.try_emplace({each.state, each.reason, each.errcode}, next).first->second;
                if (chosen.failure == view_.failures.size()) {
                    failure_row row;
                    row.state = each.state;
                    row.reason = each.reason;
                    row.errcode = each.errcode;
                    row.over_time.resize(std::min(view_.columns, spark_points), 0);
                    view_.failures.push_back(std::move(row));
                }
            }
        }
        view_.apps.assign(apps.begin(), apps.end());
        view_.kinds.assign(kinds.begin(), kinds.end());
        group_latencies_.resize(view_.groups.size());
        failure_counts_.resize(view_.failures.size());
    }

    /// Whether a latency of the state belongs to the percentiles that are shown.
    bool is_timed(job_state state) const { return query_.state ? state == *query_.state : is_sent(state); }

    void count()
    {
        const bool everything = !query_.last && !query_.from;
        if (everything)
            for (const auto& cell : board_.all_time_.cells())
                count_figures(cell.series(), cell.bin(), cell.count);
        view_.p50.assign(view_.columns, -1);
        view_.p99.assign(view_.columns, -1);
        histogram in_column;
        std::size_t at = 0;
        const auto close_column = [&] {
            view_.p50[at] = in_column.percentile(50);
            view_.p99[at] = in_column.percentile(99);
            in_column.clear();
        };
        board_.levels_.for_each(level_, view_.from, view_.to,
                                [&](wall_time begin, const time_levels::bucket_tally& counts) {
                                    const auto column = static_cast<std::size_t>((begin - view_.from) / view_.step);
                                    if (column != at)
                                        close_column();
                                    at = column;
                                    for (const auto& cell : counts.cells()) {
                                        if (!chosen_[cell.series()].counted)
                                            continue;
                                        if (!everything)
                                            count_figures(cell.series(), cell.bin(), cell.count);
                                        count_column(cell, column, in_column);
                                    }
                                });
        if (view_.columns > 0)
            close_column();
        view_.latency = latencies_.summary();
    }

    void count_figures(series_id id, latency_bin bin, std::uint64_t count)
    {
        const auto& chosen = chosen_[id];
        if (!chosen.counted)
            return;
        const auto& each = board_.series_[id];
        const auto state = static_cast<std::size_t>(each.state);
        view_.totals[state] += count;
        const bool timed = bin != no_latency && is_timed(each.state);
        if (timed)
            latencies_.add(bin, count);
        if (chosen.group != none) {
            view_.groups[chosen.group].counts[state] += count;
            if (timed)
                group_latencies_[chosen.group].add(bin, count);
        }
        if (chosen.failure != none) {
            view_.failures[chosen.failure].count += count;
            failure_counts_[chosen.failure].apps[each.app] += count;
        }
    }

    void count_column(const time_levels::bucket_tally::cell& cell, std::size_t column, histogram& latencies)
    {
        const auto& chosen = chosen_[cell.series()];
        const auto state = board_.series_[cell.series()].state;
        auto& counts = view_.over_time[static_cast<std::size_t>(state)];
        if (counts.empty())
            counts.resize(view_.columns, 0);
        counts[column] += cell.count;
        if (cell.bin() != no_latency && is_timed(state))
            latencies.add(cell.bin(), cell.count);
        if (chosen.failure != none) {
            auto& row = view_.failures[chosen.failure];
            row.over_time[column * row.over_time.size() / view_.columns] += cell.count;
            auto& seen = failure_counts_[chosen.failure];
            seen.first = std::min(seen.first, column);
            seen.last = std::max(seen.last, column);
        }
    }

    void finish_groups()
    {
        for (std::size_t number = 0; number < view_.groups.size(); ++number)
            view_.groups[number].latency = group_latencies_[number].summary();
        const auto total = [](const group_row& row) {
            std::uint64_t sum = 0;
            for (const auto each : row.counts)
                sum += each;
            return sum;
        };
        std::erase_if(view_.groups, [&](const group_row& row) { return total(row) == 0; });
        std::stable_sort(view_.groups.begin(), view_.groups.end(),
                         [&](const group_row& one, const group_row& other) { return total(one) > total(other); });
        if (view_.groups.size() > board_.limits_.listed)
            view_.groups.resize(board_.limits_.listed);
    }

    /// Sorts the rows and keeps the first ones; `chosen_` follows.
    void finish_failures()
    {
        for (std::size_t number = 0; number < view_.failures.size(); ++number) {
            auto& row = view_.failures[number];
            auto& seen = failure_counts_[number];
            row.first = view_.from + view_.step * std::min(seen.first, view_.columns);
            row.last = view_.from + view_.step * seen.last;
            row.apps.assign(seen.apps.begin(), seen.apps.end());
            std::stable_sort(row.apps.begin(), row.apps.end(),
                             [](const auto& one, const auto& other) { return one.second > other.second; });
            if (row.apps.size() > most_apps_of_a_failure) {
                row.more_apps = row.apps.size() - most_apps_of_a_failure;
                row.apps.resize(most_apps_of_a_failure);
            }
        }
        std::vector<std::uint16_t> order(view_.failures.size());
        for (std::size_t number = 0; number < order.size(); ++number)
            order[number] = static_cast<std::uint16_t>(number);
        std::erase_if(order, [this](std::uint16_t number) { return view_.failures[number].count == 0; });
        std::stable_sort(order.begin(), order.end(), [this](std::uint16_t one, std::uint16_t other) {
            return view_.failures[one].count > view_.failures[other].count;
        });
        if (order.size() > most_failures) {
            view_.more_failures = order.size() - most_failures;
            order.resize(most_failures);
        }
        std::vector<std::uint16_t> place(view_.failures.size(), none);
        std::vector<failure_row> rows;
        for (const auto number : order) {
            place[number] = static_cast<std::uint16_t>(rows.size());
            rows.push_back(std::move(view_.failures[number]));
        }
        view_.failures = std::move(rows);
        for (auto& chosen : chosen_)
            if (chosen.failure != none)
                chosen.failure = place[chosen.failure];
    }

    void collect_waiting()
    {
        std::map<series_id, waiting_row> rows;
        for (const auto& [key, wait] : board_.waiting_.waits()) {
            if (!chosen_[wait.series].counted)
                continue;
            const auto [found, added] = rows.try_emplace(wait.series);
            auto& row = found->second;
            if (added)
                row.since = row.next = row.last = wall_time::max();
            row.last = added ? wait.until : std::max(row.last, wait.until);
            row.next = std::min(row.next, wait.until);
            row.since = std::min(row.since, wait.since);
            row.overdue += wait.until + overdue_after < view_.now ? 1 : 0;
            ++row.count;
        }
        for (auto& [id, row] : rows) {
            const auto& each = board_.series_[id];
            row.app = each.app;
            row.kind = each.kind;
            row.reason = each.reason;
            // Codes differ, what is waited for does not.
            const auto same = std::find_if(view_.waiting.begin(), view_.waiting.end(), [&](const waiting_row& other) {
                return std::tie(other.app, other.kind, other.reason) == std::tie(row.app, row.kind, row.reason);
            });
            if (same == view_.waiting.end()) {
                view_.waiting.push_back(std::move(row));
                continue;
            }
            same->count += row.count;
            same->overdue += row.overdue;
            same->since = std::min(same->since, row.since);
            same->next = std::min(same->next, row.next);
            same->last = std::max(same->last, row.last);
        }
        std::stable_sort(view_.waiting.begin(), view_.waiting.end(),
                         [](const waiting_row& one, const waiting_row& other) { return one.count > other.count; });
        if (view_.waiting.size() > board_.limits_.listed)
            view_.waiting.resize(board_.limits_.listed);
        view_.waiting_incomplete = board_.waiting_.overflowed();
    }

    bool in_range(const kept_record& record) const
    {
        return (!query_.last && !query_.from) || (record.at() >= view_.from && record.at() < view_.to);
    }

    void collect_examples()
    {
        auto missing = view_.failures.size() * most_examples;
        const auto visit = [&](const kept_record& record) {
            const auto number = chosen_[record.series()].failure;
            if (number != none && in_range(record) && view_.failures[number].examples.size() < most_examples) {
                view_.failures[number].examples.push_back(&record);
                --missing;
            }
            return missing > 0;
        };
        if (missing > 0)
            board_.newest_first(board_.live_, false, visit);
        if (missing > 0)
            board_.newest_first(board_.past_, false, visit);
    }

    void collect_recent()
    {
        const bool with_sent = query_.list_all || (query_.state && !is_failure(*query_.state));
        const auto visit = [&](const kept_record& record) {
            if (chosen_[record.series()].counted && in_range(record))
                view_.recent.push_back(&record);
            return view_.recent.size() < board_.limits_.listed;
        };
        board_.newest_first(board_.live_, with_sent, visit);
        if (view_.recent.size() < board_.limits_.listed)
            board_.newest_first(board_.past_, with_sent, visit);
        // The history comes partition by partition.
        std::stable_sort(view_.recent.begin(), view_.recent.end(),
                         [](const kept_record* one, const kept_record* other) { return one->at() > other->at(); });
    }

    const status_board& board_;
    const board_query& query_;
    board_view view_;
    std::size_t level_ = 0;
    std::vector<chosen_series> chosen_;
    std::vector<histogram> group_latencies_;
    std::vector<failure_count> failure_counts_;
    histogram latencies_;
};

status_board::status_board(board_limits limits)
    : limits_(limits), levels_(default_levels(), limits.cells),
      live_{record_ring(limits.record_bytes), record_ring(limits.record_bytes)},
      past_{record_ring(limits.record_bytes), record_ring(limits.record_bytes)}, waiting_(limits.waiting)
{
}

void status_board::add(const domain::status_record& status, wall_time recorded, wall_time now, arrival how)
{
    const auto at = std::clamp(status.finished_at.value_or(recorded), wall_time{}, now);
    const auto series = series_.find_or_add(status);
    const auto bin = status.finished_at ? bin_of((*status.finished_at - status.enqueued_at).count()) : no_latency;
    levels_.add(at, series, bin);
    all_time_.add(series, all_time_.cells().size() < limits_.all_time_cells ? bin : no_latency);
    waiting_.on_status(status, series, at, how == arrival::past);
    auto& rings = how == arrival::live ? live_ : past_;
    (is_sent(status.state) ? rings.sent : rings.other).add(kept_record(status, series, at));
    note_worker(status, at);
    ++read_;
    oldest_ = std::min(oldest_.value_or(at), at);
    newest_ = std::max(newest_.value_or(at), at);
}

void status_board::note_worker(const domain::status_record& status, wall_time at)
{
    const auto name = std::string_view(status.worker).substr(0, longest_worker);
    auto found = workers_.find(name);
    if (found == workers_.end()) {
        if (workers_.size() >= limits_.workers) {
            const auto oldest =
                std::min_element(workers_.begin(), workers_.end(), [](const auto& one, const auto& other) {
                    return one.second.last < other.second.last;
                });
            if (oldest->second.last >= at)
                return;
            workers_.erase(oldest);
        }
        found = workers_.emplace(name, worker_row{std::string(name), at, 0}).first;
    }
    found->second.last = std::max(found->second.last, at);
    ++found->second.count;
}

/// Visits the records of two rings by time, the latest first, until `visit` says false. Each ring is in order of
/// arrival, which is nearly that of time.
template <typename Visit>
void status_board::newest_first(const ring_pair& rings, bool with_sent, Visit&& visit) const
{
    auto sent = rings.sent.records().rbegin();
    const auto sent_end = with_sent ? rings.sent.records().rend() : sent;
    auto other = rings.other.records().rbegin();
    const auto other_end = rings.other.records().rend();
    while (sent != sent_end || other != other_end) {
        const bool take_sent = other == other_end || (sent != sent_end && sent->at() > other->at());
        const auto& record = take_sent ? *sent++ : *other++;
        if (!visit(record))
            return;
    }
}

board_view status_board::look(const board_query& query, wall_time now) const
{
    auto view = inquiry(*this, query, now).result();
    view.read = read_;
    view.unreadable = unreadable_;
    view.newest = newest_;
    view.series_overflowed = series_.overflowed();
    for (const auto& [name, row] : workers_)
        view.workers.push_back(row);
    std::stable_sort(view.workers.begin(), view.workers.end(),
                     [](const worker_row& one, const worker_row& other) { return one.last > other.last; });
    if (view.workers.size() > limits_.listed)
        view.workers.resize(limits_.listed);
    return view;
}

std::vector<const kept_record*> status_board::records_of(std::string_view id, std::size_t most) const
{
    const auto wanted = hash_of(id);
    std::vector<const kept_record*> found;
    for (const auto* ring : {&live_.other, &live_.sent, &past_.other, &past_.sent}) {
        std::size_t taken = 0;
        for (auto each = ring->records().rbegin(); each != ring->records().rend() && taken < most; ++each) {
            if (each->id_hash() == wanted && each->id() == id) {
                found.push_back(&*each);
                ++taken;
            }
        }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const kept_record* one, const kept_record* other) { return one->at() < other->at(); });
    if (found.size() > most)
        found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
    return found;
}

} // namespace wxcourier::dashboard
