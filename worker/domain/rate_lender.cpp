// SPDX-License-Identifier: Apache-2.0
#include "domain/rate_lender.hpp"

#include <algorithm>
#include <numeric>

namespace wxcourier::domain {
namespace {

/// A permit, in the unit of amounts: with less nobody can send.
constexpr std::int64_t one_permit = 1000;
/// Apps in one record.
constexpr std::size_t most_apps = 64;

/// amount × of / whole, rounded down. No amount is above 10^9 (a million permits), nor is any weight.
std::int64_t part(std::int64_t amount, std::int64_t of, std::int64_t whole)
{
    return whole <= 0 ? 0 : amount * of / whole;
}

} // namespace

void rate_lender::on_lead_changed()
{
    apps_.clear();
    under_way_.reset();
}

std::vector<rate_lender::party> rate_lender::parties_of(const rate_book& book, const std::string& app, steady_time now)
{
    std::vector<party> parties;
    for (const auto& [name, each] : book.members()) {
        if (each.gone || rate_book::silent(each, now))
            continue;
        party found;
        found.name = name;
        if (const auto demand = each.demands.find(app); demand != each.demands.end()) {
            found.wanted = demand->second.wanted;
            found.weight = std::max<std::int64_t>(1, demand->second.weight);
        }
        found.out = book.outstanding(name, app);
        found.now = book.granted(name, app);
        parties.push_back(std::move(found));
    }
    return parties;
}

/// A burst of two permits cannot be divided among three: then only some have a share, in turn.
void rate_lender::take_turns(app_state& state, std::vector<party>& parties, const rate_amount& whole, steady_time now)
{
    const auto places = static_cast<std::size_t>(std::max<std::int64_t>(1, whole.burst / one_permit));
    if (parties.size() <= places) {
        state.turn_of.clear();
        return;
    }
    std::vector<party*> order;
    for (auto& each : parties)
        order.push_back(&each);
    const bool over = now >= state.turn_ends;
    std::stable_sort(order.begin(), order.end(), [&state, over](const party* left, const party* right) {
        if ((left->wanted > 0) != (right->wanted > 0))
            return left->wanted > 0;
        if (!over && state.turn_of.contains(left->name) != state.turn_of.contains(right->name))
            return state.turn_of.contains(left->name);
        const auto served = [&state](const party* each) {
            const auto found = state.served.find(each->name);
            return found == state.served.end() ? steady_time::min() : found->second;
        };
        return served(left) < served(right);
    });
    std::set<std::string> chosen;
    for (std::size_t i = 0; i < places; ++i) {
        chosen.insert(order[i]->name);
        state.served[order[i]->name] = now;
    }
    if (over || chosen != state.turn_of)
        state.turn_ends = now + turn;
    state.turn_of = std::move(chosen);
    // The others have nothing to expect; they keep their place in the table only for what they still hold.
    for (auto& each : parties)
        if (!state.turn_of.contains(each.name))
            each.wanted = each.weight = 0;
}

/// What each should have: nobody more than it needs while another needs more, by weight; what nobody needs is spread.
void rate_lender::set_goals(std::vector<party>& parties, const rate_amount& whole)
{
    std::vector<party*> order;
    std::int64_t weights = 0;
    for (auto& each : parties) {
        order.push_back(&each);
        weights += each.weight;
    }
    if (weights == 0)
        return;
    const auto relative = [](const party* each) {
        return each->weight == 0 ? 0 : static_cast<double>(each->wanted) / static_cast<double>(each->weight);
    };
    std::sort(order.begin(), order.end(),
              [&relative](const party* left, const party* right) { return relative(left) < relative(right); });
    auto rest = whole.rate;
    auto open = weights;
    for (auto* const each : order) {
        each->goal.rate = std::min(each->wanted, part(rest, each->weight, open));
        rest -= each->goal.rate;
        open -= each->weight;
    }
    const auto spare = rest;
    std::int64_t receivers = 0;
    for (auto& each : parties) {
        each.goal.rate += part(spare, each.weight, weights);
        receivers += each.goal.rate > 0 ? 1 : 0;
    }
    const auto total = std::accumulate(parties.begin(), parties.end(), std::int64_t{0},
                                       [](std::int64_t sum, const party& each) { return sum + each.goal.rate; });
    const auto divided = std::max<std::int64_t>(0, whole.burst - receivers * one_permit);
    for (auto& each : parties)
        if (each.goal.rate > 0)
            each.goal.burst = std::min(one_permit, whole.burst) + part(divided, each.goal.rate, total);
}

/// Takes at once; gives as far as nobody can be using it any more.
void rate_lender::give_what_there_is(std::vector<party>& parties, const rate_amount& whole)
{
    rate_amount room = whole;
    for (auto& each : parties) {
        each.next = {std::min(each.goal.rate, each.out.rate), std::min(each.goal.burst, each.out.burst)};
        room.rate -= each.out.rate;
        room.burst -= each.out.burst;
    }
    room = {std::max<std::int64_t>(0, room.rate), std::max<std::int64_t>(0, room.burst)};
    // First a permit of the burst for who has none, or its rate would be of no use.
    for (auto& each : parties) {
        const auto least = std::min(one_permit, each.goal.burst);
        if (each.next.burst >= least || room.burst < least - each.next.burst)
            continue;
        room.burst -= least - each.next.burst;
        each.next.burst = least;
    }
    rate_amount missing;
    for (const auto& each : parties) {
        missing.rate += std::max<std::int64_t>(0, each.goal.rate - each.next.rate);
        missing.burst += std::max<std::int64_t>(0, each.goal.burst - each.next.burst);
    }
    for (auto& each : parties) {
        if (each.next.burst < std::min(one_permit, whole.burst)) {
            each.next = {};
            continue;
        }
        const rate_amount lacks{std::max<std::int64_t>(0, each.goal.rate - each.next.rate),
                                std::max<std::int64_t>(0, each.goal.burst - each.next.burst)};
        each.next.rate += missing.rate <= room.rate ? lacks.rate : part(room.rate, lacks.rate, missing.rate);
        each.next.burst += missing.burst <= room.burst ? lacks.burst : part(room.burst, lacks.burst, missing.burst);
        if (each.next.rate == 0)
            each.next = {};
    }
}

bool rate_lender::due(const app_state& state, const std::vector<party>& parties, const rate_amount& whole,
                      steady_time now) const
{
    const auto since = state.written == steady_time::min() ? steady_duration::max() : now - state.written;
    const bool in_use = std::any_of(parties.begin(), parties.end(), [](const auto& each) { return each.wanted > 0; });
    if (in_use && since >= repeat_interval)
        return true;
    if (since < hasty_interval)
        return false;
    std::int64_t given = 0;
    bool changes = false;
    bool lacks = false;
    bool lacks_much = false;
    for (const auto& each : parties) {
        given += each.now.rate;
        changes = changes || each.next != each.now;
        const bool needs = each.wanted > each.now.rate || (each.wanted > 0 && each.now.rate == 0);
        const auto more = each.goal.rate - each.now.rate;
        lacks = lacks || (needs && more > whole.rate / 100);
        lacks_much = lacks_much || (needs && more > 0 && (each.now.rate == 0 || more > whole.rate / 5));
    }
    if (!changes)
        return false;
    return lacks_much || (lacks && since >= table_interval) || given > whole.rate;
}

std::optional<rate_table_record> rate_lender::table(const rate_book& book, const std::vector<limit>& limits,
                                                    std::uint64_t term, steady_time now)
{
    if (under_way_)
        return std::nullopt;
    rate_table_record record;
    for (const auto& each : limits) {
        if (record.apps.size() == most_apps)
            break; // the rest with the next one
        auto& state = apps_[each.app];
        auto parties = parties_of(book, each.app, now);
        if (parties.empty())
            continue;
        take_turns(state, parties, each.amount, now);
        set_goals(parties, each.amount);
        // Who is silent holds what it has until this table says so, and this table's readers have it then: what it held
        // counts as free, as the record is void if it has spoken.
        give_what_there_is(parties, each.amount);
        if (!due(state, parties, each.amount, now))
            continue;
        state.written = now;
        auto& shares = record.apps.emplace_back(app_shares{each.app, {}});
        for (const auto& party : parties)
            if (party.next.rate > 0)
                shares.shares.push_back({party.name, party.next});
    }
    if (record.apps.empty())
        return std::nullopt;
    for (const auto& [name, each] : book.members())
        if (!each.gone && rate_book::silent(each, now))
            record.silent.push_back({name, each.report});
    record.version = {term, book.newest().term == term ? book.newest().number + 1 : 1};
    under_way_ = record.version;
    return record;
}

} // namespace wxcourier::domain
