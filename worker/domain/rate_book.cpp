// SPDX-License-Identifier: Apache-2.0
#include "domain/rate_book.hpp"

#include <algorithm>

namespace wxcourier::domain {

bool rate_book::on_report(const rate_report_record& read, steady_time now)
{
    auto& from = members_[read.member];
    if (read.number <= from.report)
        return false;
    from.report = read.number;
    from.applied = std::max(from.applied, read.applied);
    from.heard = now;
    from.gone = read.leaving;
    from.seat = read.seat;
    from.demands.clear();
    for (const auto& each : read.demands)
        from.demands.emplace(each.app, each);
    if (read.leaving)
        take_all_from(read.member);
    prune();
    return true;
}

bool rate_book::on_table(const rate_table_record& read)
{
    if (read.version <= newest_)
        return false; // a repeat
    newest_ = read.version;
    for (const auto& each : read.silent) {
        const auto found = members_.find(each.member);
        if (found != members_.end() && found->second.report != each.last_report)
            return false;
    }
    in_force_ = read.version;
    for (const auto& each : read.silent) {
        const auto found = members_.find(each.member);
        if (found == members_.end())
            continue;
        found->second.gone = true;
        // Its next right begins with a report that stands behind this table, which it has read by then.
        found->second.applied = read.version;
        found->second.demands.clear();
        take_all_from(each.member);
    }
    for (const auto& each : read.apps) {
        table added{read.version, {}};
        for (const auto& share : each.shares)
            added.shares.emplace(share.member, share.amount);
        tables_[each.app].push_back(std::move(added));
    }
    prune();
    return true;
}

void rate_book::take_all_from(const std::string& member_name)
{
    for (auto& [app, tables] : tables_)
        for (auto& each : tables)
            each.shares.erase(member_name);
}

/// Tables that nobody goes by any more are forgotten.
void rate_book::prune()
{
    auto oldest = in_force_;
    for (const auto& [name, each] : members_)
        if (!each.gone)
            oldest = std::min(oldest, each.applied);
    for (auto& [app, tables] : tables_)
        while (tables.size() > 1 && tables[1].version <= oldest)
            tables.pop_front();
}

rate_amount rate_book::outstanding(const std::string& member_name, const std::string& app) const
{
    const auto found = members_.find(member_name);
    const auto tables = tables_.find(app);
    if (tables == tables_.end())
        return {};
    const auto applied = found == members_.end() ? rate_version{} : found->second.applied;
    rate_amount most;
    for (auto each = tables->second.rbegin(); each != tables->second.rend(); ++each) {
        if (const auto share = each->shares.find(member_name); share != each->shares.end()) {
            most.rate = std::max(most.rate, share->second.rate);
            most.burst = std::max(most.burst, share->second.burst);
        }
        if (each->version <= applied)
            break;
    }
    return most;
}

rate_amount rate_book::granted(const std::string& member_name, const std::string& app) const
{
    const auto tables = tables_.find(app);
    if (tables == tables_.end() || tables->second.empty())
        return {};
    const auto& shares = tables->second.back().shares;
    const auto share = shares.find(member_name);
    return share == shares.end() ? rate_amount{} : share->second;
}

} // namespace wxcourier::domain
