// SPDX-License-Identifier: Apache-2.0
#include "domain/operator_state.hpp"

#include <algorithm>

namespace wxcourier::domain {

std::string describe(const pause_target& target)
{
    std::string text;
    const auto add = [&text](std::string_view word, const std::string& value) {
        if (!value.empty())
            text += (text.empty() ? "" : " of ") + std::string(word) + ' ' + value;
    };
    add("template", target.template_id);
    add("kind", target.kind);
    add("app", target.app);
    return text.empty() ? "all" : text;
}

rate_override rate_patch::applied_to(rate_override before) const noexcept
{
    return {per_second.value_or(before.per_second), burst.value_or(before.burst),
            concurrency.value_or(before.concurrency)};
}

bool operator_state::apply(const operator_change& change, std::int64_t offset)
{
    const bool news = would_change(change);
    if (!has_room_for(change) || change.what == operator_change::action::renewed)
        return false;
    // Said again: who said it first, and since when, stays. A word that changes nothing is noted all the same: a
    // snapshot written before it may know of what it ended.
    if (change.what == operator_change::action::rate) {
        auto& word = rates_[change.target.app];
        if (news)
            word = {change.rate, change.mark, offset};
        word.offset = offset;
    } else {
        auto& word = pauses_[change.target];
        if (news)
            word = {change.what == operator_change::action::pause, change.mark, offset};
        word.offset = offset;
    }
    return news;
}

bool operator_state::merge(const operator_snapshot& snapshot)
{
    const auto before_pauses = pauses();
    const auto before_rates = rates();
    const auto older = [&snapshot](const auto& each) { return each.second.offset <= snapshot.through; };
    std::erase_if(pauses_, older);
    std::erase_if(rates_, older);
    // try_emplace: a word that stands behind the snapshot's place in the log is the newer one.
    for (const auto& each : snapshot.pauses)
        pauses_.try_emplace(each.target, pause_word{true, each.mark, each.offset});
    for (const auto& each : snapshot.rates)
        rates_.try_emplace(each.app, rate_word{each.limits, each.mark, each.offset});
    const auto same = [](const auto& left, const auto& right) {
        return left.target == right.target && left.mark == right.mark;
    };
    const auto same_rate = [](const auto& left, const auto& right) {
        return left.app == right.app && left.limits == right.limits;
    };
    const auto after_pauses = pauses();
    const auto after_rates = rates();
    return !std::equal(before_pauses.begin(), before_pauses.end(), after_pauses.begin(), after_pauses.end(), same) ||
           !std::equal(before_rates.begin(), before_rates.end(), after_rates.begin(), after_rates.end(), same_rate);
}

operator_snapshot operator_state::snapshot(std::int64_t through) const
{
    return {through, pauses(), rates()};
}

bool operator_state::would_change(const operator_change& change) const
{
    switch (change.what) {
    case operator_change::action::pause:
        return !paused(change.target);
    case operator_change::action::resume:
        return paused(change.target);
    case operator_change::action::renewed:
        return false;
    case operator_change::action::rate:
        break;
    }
    return rate_of(change.target.app) != change.rate;
}

bool operator_state::has_room_for(const operator_change& change) const
{
    switch (change.what) {
    case operator_change::action::pause:
        return paused(change.target) || count_pauses() < most_pauses;
    case operator_change::action::resume:
    case operator_change::action::renewed:
        return true;
    case operator_change::action::rate:
        break;
    }
    return change.rate.empty() || !rate_of(change.target.app).empty() || count_rates() < most_rates;
}

bool operator_state::paused(const pause_target& target) const
{
    const auto found = pauses_.find(target);
    return found != pauses_.end() && found->second.paused;
}

std::size_t operator_state::count_pauses() const
{
    return static_cast<std::size_t>(
        std::count_if(pauses_.begin(), pauses_.end(), [](const auto& each) { return each.second.paused; }));
}

std::size_t operator_state::count_rates() const
{
    return static_cast<std::size_t>(
        std::count_if(rates_.begin(), rates_.end(), [](const auto& each) { return !each.second.limits.empty(); }));
}

bool operator_state::pauses_app(std::string_view app) const
{
    return paused({}) || paused({std::string(app), {}, {}});
}

bool operator_state::pauses_kind(std::string_view app, std::string_view kind) const
{
    return paused({{}, std::string(kind), {}}) || paused({std::string(app), std::string(kind), {}});
}

bool operator_state::pauses_template(std::string_view app, std::string_view template_id) const
{
    return !template_id.empty() &&
           (paused({{}, {}, std::string(template_id)}) || paused({std::string(app), {}, std::string(template_id)}));
}

bool operator_state::pauses_some_template(std::string_view app) const
{
    return std::any_of(pauses_.begin(), pauses_.end(), [app](const auto& each) {
        const auto& [target, word] = each;
        return word.paused && !target.template_id.empty() && (target.app.empty() || target.app == app);
    });
}

rate_override operator_state::rate_of(std::string_view app) const
{
    const auto found = rates_.find(app);
    return found == rates_.end() ? rate_override{} : found->second.limits;
}

std::vector<operator_snapshot::pause> operator_state::pauses() const
{
    std::vector<operator_snapshot::pause> listed;
    for (const auto& [target, word] : pauses_)
        if (word.paused)
            listed.push_back({target, word.mark, word.offset});
    return listed;
}

std::vector<operator_snapshot::rate> operator_state::rates() const
{
    std::vector<operator_snapshot::rate> listed;
    for (const auto& [app, word] : rates_)
        if (!word.limits.empty())
            listed.push_back({app, word.limits, word.mark, word.offset});
    return listed;
}

} // namespace wxcourier::domain
