// SPDX-License-Identifier: Apache-2.0
#include "simulator/quota_ledger.hpp"

#include "simulator/calendar.hpp"

#include <algorithm>

namespace wxcourier::simulator {

namespace {

constexpr int minute_quota_reached = 45011;
constexpr int day_quota_reached = 45009;
constexpr int clears_a_month = 10;

} // namespace

std::uint64_t quota_ledger::minute_limit(const endpoint& row) const noexcept
{
    return row.what == operation::send ? settings_.minute_quota : row.minute_quota;
}

std::uint64_t quota_ledger::day_limit(const endpoint& row) const noexcept
{
    return row.what == operation::send ? settings_.day_quota : row.day_quota;
}

quota_ledger::account& quota_ledger::account_of(std::string_view appid)
{
    account& found = value_of(apps_, appid);
    found.calls.resize(all_endpoints().size());
    return found;
}

quota_ledger::counter& quota_ledger::counter_of(std::string_view appid, const endpoint& row, wall_time now)
{
    counter& calls = account_of(appid).calls[index_of(row)];
    if (calls.minute != minute_number(now)) {
        calls.minute = minute_number(now);
        calls.in_minute = 0;
    }
    if (calls.day != day_number(now)) {
        calls.day = day_number(now);
        calls.in_day = 0;
    }
    return calls;
}

int quota_ledger::take(std::string_view appid, const endpoint& row, wall_time now)
{
    counter& calls = counter_of(appid, row, now);
    if (day_limit(row) != 0 && calls.in_day >= day_limit(row)) {
        return day_quota_reached;
    }
    if (minute_limit(row) != 0 && calls.in_minute >= minute_limit(row)) {
        return minute_quota_reached;
    }
    ++calls.in_minute;
    ++calls.in_day;
    return 0;
}

quota_ledger::usage quota_ledger::today(std::string_view appid, const endpoint& row, wall_time now)
{
    return {day_limit(row), counter_of(appid, row, now).in_day, minute_limit(row)};
}

void quota_ledger::clear(std::string_view appid, const endpoint* row)
{
    auto& calls = account_of(appid).calls;
    if (row != nullptr) {
        calls[index_of(*row)] = {};
    } else {
        std::ranges::fill(calls, counter{});
    }
}

bool quota_ledger::clear_by_owner(std::string_view appid, const endpoint* row, wall_time now)
{
    account& owner = account_of(appid);
    if (owner.clear_month != month_number(now)) {
        owner.clear_month = month_number(now);
        owner.clears = 0;
    }
    if (owner.clears >= clears_a_month) {
        return false;
    }
    ++owner.clears;
    clear(appid, row);
    return true;
}

} // namespace wxcourier::simulator
