// SPDX-License-Identifier: Apache-2.0
#include "config/durations.hpp"
#include "config/sections.hpp"

namespace wxcourier::config {

namespace {

using namespace std::chrono_literals;

constexpr milliseconds one_day = 24h;
constexpr milliseconds one_year = 365 * 24h;

void read_class(const setting& from, retry_class_settings& into)
{
    mapping::read(from, [&into](mapping& keys) {
        keys["max"].read(into.max, 1ms, one_day);
        keys["give_up_after"].read(into.give_up_after, 1ms, one_year);
    });
}

void read_retry(mapping& keys, retry_settings& into)
{
    const auto initial = keys["initial"];
    const auto max = keys["max"];
    initial.read(into.initial, 1ms, 1h);
    max.read(into.max, 1ms, one_day);
    keys["give_up_after"].read(into.give_up_after, 1ms, one_year);
    read_class(keys["network"], into.network);
    read_class(keys["busy"], into.busy);
    read_class(keys["recipient"], into.recipient);
    if (into.initial > into.max) {
        const auto& said = initial.given() ? initial : max;
        said.error("makes the first wait (" + format_duration(into.initial) + ") longer than the longest (" +
                   format_duration(into.max) + "), expected initial to be at most max");
    }
}

} // namespace

void read_delivery(mapping& keys, delivery_settings& into)
{
    keys["guarantee"].choose<guarantee>(
        into.guarantee, {{"at_least_once", guarantee::at_least_once}, {"at_most_once", guarantee::at_most_once}});
    keys["ordering"].choose<ordering>(into.ordering, {{"none", ordering::none}, {"key", ordering::key}});
    const auto unknown = keys["on_unknown"];
    unknown.choose<on_unknown>(into.on_unknown, {{"retry", on_unknown::retry}, {"report", on_unknown::report}});
    if (unknown.given() && into.on_unknown == on_unknown::retry && into.guarantee == guarantee::at_most_once)
        unknown.warning("is retry, expected report: at_most_once never sends a message again");
    mapping::read(keys["retry"], [&](mapping& retry) { read_retry(retry, into.retry); });
    keys["max_age"].read(into.max_age, 1ms, one_year);
    keys["max_delay"].read(into.max_delay, 1ms, one_year);
    keys["commit_interval"].read(into.commit_interval, 1ms, 1min);
    keys["revoke_timeout"].read(into.revoke_timeout, 1ms, 5min);
    keys["drain_timeout"].read(into.drain_timeout, 1ms, 1h);
    keys["dry_run"].read(into.dry_run);
}

} // namespace wxcourier::config
