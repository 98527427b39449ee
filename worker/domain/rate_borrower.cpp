// SPDX-License-Identifier: Apache-2.0
#include "domain/rate_borrower.hpp"

#include <algorithm>

namespace wxcourier::domain {
namespace {

/// Reports that were not read back are remembered up to this many: more cannot be under way.
constexpr std::size_t most_written = 64;

/// How far apart two demands are, for whether to say so.
enum class distance : std::uint8_t { small, notable, big };

distance between(std::int64_t told, std::int64_t now)
{
    const auto apart = now > told ? now - told : told - now;
    const auto larger = std::max(told, now);
    if ((told == 0) != (now == 0))
        return distance::big;
    if (apart * 2 > larger)
        return distance::big;
    return apart * 5 > larger ? distance::notable : distance::small;
}

} // namespace

void rate_borrower::on_demands(std::vector<rate_demand> demands, steady_time now)
{
    demands_.clear();
    for (auto& each : demands)
        if (each.wanted > 0)
            demands_.emplace(each.app, std::move(each));
    if (!demands_.empty())
        last_work_ = now;
}

void rate_borrower::on_table(const rate_table_record& read)
{
    applied_ = read.version;
    ++changes_;
    if (std::any_of(read.silent.begin(), read.silent.end(),
                    [this](const auto& each) { return each.member == member_; }))
        shares_.clear();
    for (const auto& each : read.apps) {
        const auto own = std::find_if(each.shares.begin(), each.shares.end(),
                                      [this](const auto& share) { return share.member == member_; });
        const auto before = share(each.app);
        const auto after = own == each.shares.end() ? rate_amount{} : own->amount;
        owes_word_ = owes_word_ || after.rate < before.rate || after.burst < before.burst;
        if (after.rate > 0)
            shares_[each.app] = after;
        else
            shares_.erase(each.app);
    }
}

void rate_borrower::on_own_report(std::uint64_t number, steady_time now)
{
    const auto written = written_.find(number);
    if (written == written_.end())
        return;
    const auto until = written->second + rate_right_lasts;
    written_.erase(written_.begin(), std::next(written));
    if (until <= now || until <= right_until_)
        return;
    right_until_ = until;
    ++changes_;
}

bool rate_borrower::wants_more(steady_time now) const
{
    const auto since = last_report_ == steady_time::min() ? steady_duration::max() : now - last_report_;
    if (since < hasty_interval)
        return false;
    auto most = distance::small;
    for (const auto& [app, each] : demands_) {
        const auto told = reported_.find(app);
        most = std::max(most, between(told == reported_.end() ? 0 : told->second.wanted, each.wanted));
    }
    for (const auto& [app, each] : reported_)
        if (!demands_.contains(app))
            most = std::max(most, distance::notable); // what others would like to have can wait a little
    return most == distance::big || (most == distance::notable && since >= report_interval);
}

/// Whether it speaks and does not hear itself. Its reports would only keep others from having its share.
bool rate_borrower::deaf(steady_time now) const
{
    return !written_.empty() && right_until_ <= now && now - last_report_ < speaks_up;
}

std::optional<rate_report_record> rate_borrower::report(steady_time now)
{
    if (under_way_ || left_ || deaf(now))
        return std::nullopt;
    const bool alive = last_work_ != steady_time::min() && now - last_work_ < lingers;
    const bool renews = alive && (last_report_ == steady_time::min() || now - last_report_ >= renew_interval);
    // A right that has ended is asked for anew at once, when there is work.
    const bool asks = !demands_.empty() && right_until_ <= now && written_.empty();
    if (!renews && !asks && !(owes_word_ && right_until_ > now) && !(alive && wants_more(now)))
        return std::nullopt;
    owes_word_ = false;
    under_way_ = true;
    last_report_ = now;
    reported_ = demands_;
    rate_report_record record{member_, ++number_, applied_, false, {}, seat_};
    for (const auto& [app, each] : demands_)
        record.demands.push_back(each);
    written_.emplace(number_, now);
    if (written_.size() > most_written)
        written_.erase(written_.begin());
    return record;
}

rate_report_record rate_borrower::leave()
{
    left_ = true;
    shares_.clear();
    right_until_ = steady_time::min();
    ++changes_;
    return {member_, ++number_, applied_, true, {}, seat_};
}

rate_amount rate_borrower::share(const std::string& app) const
{
    const auto found = shares_.find(app);
    return found == shares_.end() ? rate_amount{} : found->second;
}

} // namespace wxcourier::domain
