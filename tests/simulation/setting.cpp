// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/setting.hpp"

namespace wxcourier::simulation {
namespace {

engine::app_options app(chronicle& record, const std::string& name, domain::app_type type)
{
    engine::app_options options;
    options.name = name;
    options.type = type;
    options.appid = "wx-" + name;
    options.app_secret = secret("secret of " + name);
    options.limits.rate_per_second = static_cast<double>(5 + record.below(60));
    options.limits.burst = static_cast<double>(1 + record.below(20));
    options.limits.concurrency = 1 + record.below(record.chance(0.5) ? 8 : 64);
    return options;
}

} // namespace

setting draw_setting(chronicle& record)
{
    setting drawn;
    auto& engine = drawn.engine;
    engine.apps = {app(record, "shop", domain::app_type::official_account),
                   app(record, "news", domain::app_type::official_account),
                   app(record, "game", domain::app_type::mini_program)};
    engine.status_topic = "push.status";
    engine.dead_letter_topic = "push.dead";
    engine.max_delay = std::chrono::hours{24 * 7};
    if (record.chance(0.7))
        engine.max_age = std::chrono::minutes{20 + record.below(200)};
    engine.delivery.retry = {milliseconds{200}, milliseconds{1000 * (1 + record.below(60))}};
    engine.delivery.give_up_after = std::chrono::minutes{2 + record.below(360)};
    engine.delivery.at_most_once = record.chance(0.2);
    engine.delivery.report_unknown = record.chance(0.3);
    engine.breaker.failures_to_open = static_cast<int>(2 + record.below(20));
    engine.commit_interval = milliseconds{5 + record.below(record.chance(0.2) ? 2000 : 50)};
    engine.gather_statuses = milliseconds{record.chance(0.5) ? record.below(50) : 0};
    if (record.chance(0.4))
        engine.admission = {.messages = 20 + record.below(200),
                            .bytes = 100'000 + record.below(1'000'000),
                            .fan_out_window = 1 + record.below(40),
                            .fan_out_span = 40 + record.below(200)};
    drawn.partitions = 1 + record.below(6);
    drawn.processes = 1 + record.below(4);
    drawn.job_every = milliseconds{200 + record.below(1500)};
    drawn.fault_every = milliseconds{5'000 + record.below(60'000)};
    if (record.chance(0.3))
        drawn.largest_letter = 300;
    drawn.tokens_fail = record.chance(0.7);
    drawn.clocks_jump = record.chance(0.2);
    engine.ordered_by_key = record.chance(0.3);
    drawn.keys = 1 + record.below(40);
    if (record.chance(0.5)) { // otherwise each process has the whole rate
        engine.fleet.emplace();
        engine.fleet->fleet_topic = "push.fleet";
        engine.fleet->tokens_topic = "push.tokens";
        engine.fleet->leading_topic = "push.jobs";
    }
    return drawn;
}

} // namespace wxcourier::simulation
