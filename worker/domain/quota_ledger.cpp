// SPDX-License-Identifier: Apache-2.0
#include "domain/quota_ledger.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace wxcourier::domain {
namespace {

/// All members together hold at most this part of what is left unused, as far as grants go: what a dead one held is
/// little.
constexpr std::int64_t part_granted = 4;
/// Whoever asks gets a part of what is left also where it needs less, so that it need not ask for each message. More of
/// it when a limit is made known to members that have been sending without one: none of them is to stop for it.
constexpr std::int64_t part_ahead = 64;
constexpr std::int64_t part_at_first = 16;

quota_amount smaller(const quota_amount& left, const quota_amount& right)
{
    return {std::min(left.high, right.high), std::min(left.normal, right.normal)};
}

quota_amount greater(const quota_amount& left, const quota_amount& right)
{
    return {std::max(left.high, right.high), std::max(left.normal, right.normal)};
}

/// What is needed beyond what there is.
std::int64_t missing(std::int64_t wanted, std::int64_t granted, std::int64_t spent)
{
    return std::max<std::int64_t>(0, wanted - std::max<std::int64_t>(0, granted - spent));
}

/// How much of `left` goes to one of `members` who lacks so many, and has so many.
std::int64_t part(std::int64_t left, std::int64_t lacking, std::int64_t has, std::int64_t members)
{
    if (left <= 0 || lacking <= 0)
        return 0;
    const std::int64_t least = has <= 0 ? 1 : 0;
    return std::min({left, lacking, std::max(least, left / (part_granted * members) - std::max<std::int64_t>(0, has))});
}

} // namespace

/// What a member may have by the next table, before anything new is given.
quota_amount quota_ledger::base_of(const member& each)
{
    auto base = each.granted;
    if (each.report > each.answered) // it has bound itself to what it keeps, before it said so
        base = smaller(base, each.said.kept);
    return greater(base, each.said.spent); // it may have sent while nothing was limited
}

bool quota_ledger::asks(const member& each) const
{
    if (each.leaving)
        return false;
    if (!known_)
        return true; // what it is granted at first is so much more
    const auto& [high, normal] = each.said.wanted;
    if (missing(high, each.granted.high, each.said.spent.high) == 0 &&
        missing(normal, each.granted.normal, each.said.spent.normal) == 0)
        return false;
    const bool starved =
        each.granted.all() <= each.said.spent.all() || (normal > 0 && each.granted.normal <= each.said.spent.normal);
    return each.report > each.answered || starved;
}

bool quota_ledger::on_report(const std::string& name, std::uint64_t number, bool leaving, const quota_demand& said)
{
    auto& from = members_[name];
    if (number <= from.report)
        return false;
    refused_ += said.refused - std::min(said.refused, from.said.refused);
    from.report = number;
    from.leaving = leaving;
    from.said = said;
    from.heard = ++reports_;
    return true;
}

void quota_ledger::on_table(const quota_table_record& read)
{
    known_ = true;
    limit_ = read.limit;
    exhausted_ = read.exhausted;
    gone_ = read.gone;
    std::set<std::string> before;
    for (auto& [name, each] : members_) {
        if (each.listed)
            before.insert(name);
        each.granted = {};
        each.listed = false;
    }
    for (const auto& grant : read.grants) {
        auto& each = members_[grant.member];
        each.granted = grant.amount;
        each.answered = grant.report;
        each.listed = true;
    }
    // Whoever is not named any more is in what is gone.
    std::erase_if(members_, [&before](const auto& each) { return !each.second.listed && before.contains(each.first); });
}

std::optional<quota_table_record> quota_ledger::next(const quota_limit& limit, bool exhausted) const
{
    bool changes = known_ ? limit != limit_ || exhausted != exhausted_ : in_use();
    quota_table_record record;
    record.limit = limit;
    record.exhausted = exhausted;
    record.gone = gone_;
    auto left = limit;
    std::int64_t asking = 0;
    bool wanted = false;
    bool shifts = false; ///< Something was given back, or more was spent than was granted.
    for (const auto& [name, each] : members_) {
        const auto base = base_of(each);
        left.all -= base.all();
        left.normal -= base.normal;
        if (each.leaving && each.listed)
            record.gone = record.gone + base;
        else if (asks(each) || base.all() > 0)
            record.grants.push_back({name, each.report, base});
        asking += asks(each) ? 1 : 0;
        shifts = shifts || (each.listed && base != each.granted);
        wanted = wanted || each.said.wanted.all() > 0;
    }
    left.all -= gone_.all();
    left.normal -= gone_.normal;
    if (!known_ && !limit.bounded() && !exhausted && !wanted)
        return std::nullopt; // nobody waits to be told that there is no limit
    const auto ahead = std::max<std::int64_t>(0, left.all) /
                       ((known_ ? part_ahead : part_at_first) * std::max<std::int64_t>(asking, 1));
    const auto members = std::max(asking, static_cast<std::int64_t>(record.grants.size()));
    for (auto& grant : record.grants) {
        const auto& each = members_.at(grant.member);
        if (!asks(each))
            continue;
        changes = changes || !each.listed;
        if (exhausted || !limit.bounded())
            continue;
        const auto lacks = [&](std::int64_t wanted, std::int64_t granted, std::int64_t spent, bool used) {
            return missing(wanted > 0 || (!known_ && used) ? std::max(wanted, ahead) : 0, granted, spent);
        };
        const auto& [wanted_high, wanted_normal] = each.said.wanted;
        const auto& spent = each.said.spent;
        const auto normal = part(std::min(left.normal, left.all),
                                 lacks(wanted_normal, grant.amount.normal, spent.normal, spent.normal > 0),
                                 grant.amount.normal - spent.normal, members);
        const auto high = part(left.all - normal, lacks(wanted_high, grant.amount.high, spent.high, spent.high > 0),
                               grant.amount.high - spent.high, members);
        grant.amount = grant.amount + quota_amount{high, normal};
        left.normal -= normal;
        left.all -= normal + high;
        changes = changes || normal + high > 0;
    }
    if (!changes && !(shifts && asking > 0))
        return std::nullopt;
    fold(record, members_);
    return record;
}

/// What the members that were not heard of for longest may have counts as used: they may use it all the same, and ask
/// for more.
void quota_ledger::fold(quota_table_record& into, const std::map<std::string, member>& members)
{
    if (into.grants.size() <= most_members)
        return;
    std::stable_sort(into.grants.begin(), into.grants.end(), [&members](const auto& left, const auto& right) {
        return members.at(left.member).heard > members.at(right.member).heard;
    });
    for (std::size_t i = most_members; i < into.grants.size(); ++i)
        into.gone = into.gone + into.grants[i].amount;
    into.grants.resize(most_members);
}

quota_table_record quota_ledger::repeat() const
{
    quota_table_record record;
    record.limit = limit_;
    record.exhausted = exhausted_;
    record.gone = gone_;
    for (const auto& [name, each] : members_)
        if (each.listed)
            record.grants.push_back({name, each.answered, each.granted});
    return record;
}

quota_limit quota_ledger::left() const
{
    auto left = limit_;
    left.all -= gone_.all();
    left.normal -= gone_.normal;
    for (const auto& [name, each] : members_) {
        left.all -= each.granted.all();
        left.normal -= each.granted.normal;
    }
    left.all = exhausted_ ? 0 : std::max<std::int64_t>(0, left.all);
    return {left.all, std::clamp<std::int64_t>(left.normal, 0, left.all)};
}

quota_grant quota_ledger::grant_of(const std::string& name) const
{
    const auto found = members_.find(name);
    if (found == members_.end() || !found->second.listed)
        return {name, 0, {}};
    return {name, found->second.answered, found->second.granted};
}

std::int64_t quota_ledger::spent() const
{
    auto spent = gone_.all();
    for (const auto& [name, each] : members_)
        spent += each.said.spent.all();
    return spent;
}

bool quota_ledger::short_of_it() const
{
    const auto rest = left();
    return known_ && std::any_of(members_.begin(), members_.end(), [&](const auto& each) {
               const auto& [high, normal] = each.second.said.wanted;
               return !each.second.leaving && ((high > 0 && rest.all == 0) || (normal > 0 && rest.normal == 0));
           });
}

} // namespace wxcourier::domain
