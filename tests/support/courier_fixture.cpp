// SPDX-License-Identifier: Apache-2.0
#include "tests/support/courier_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace wxcourier::test {

replica::replica(asio::io_context& loop, manual_clock& time, fake_log& log, const engine::engine_options& options,
                 const std::function<void(replica&)>& prepare)
    : source(loop, log), publisher(loop), pushes(time), tokens(time), loop_(loop), time_(time)
{
    courier = std::make_unique<engine::courier>(options, loop.get_executor(), time, source, publisher, pushes, tokens,
                                                metrics, [this](const std::string& why) { failures.push_back(why); });
    for (const auto& topic : options.delayed.topics)
        delayed_partitions_[topic.name] = 1;
    publisher.on_stored = [this, &log](const engine::outbound_record& record) {
        if (delayed_partitions_.contains(record.topic))
            log.append_to(record.topic, record.partition.value_or(0), record, time_.wall_now());
    };
    courier->know_delayed_partitions(delayed_partitions_);
    source.attach(*courier);
    publisher.attach(*courier);
    prepare(*this);
    courier->start();
    time_.settle();
}

replica::~replica()
{
    if (courier)
        crash();
}

std::shared_ptr<std::optional<engine::drain_report>> replica::begin_drain(steady_duration limit)
{
    auto report = std::make_shared<std::optional<engine::drain_report>>();
    asio::co_spawn(loop_, courier->drain(time_.now() + limit),
                   [report](std::exception_ptr failure, engine::drain_report result) {
                       if (failure)
                           std::rethrow_exception(failure);
                       *report = result;
                   });
    time_.settle();
    return report;
}

engine::drain_report replica::drain(steady_duration limit)
{
    const auto report = begin_drain(limit);
    time_.advance_until([report] { return report->has_value(); }, limit + seconds{1});
    EXPECT_TRUE(report->has_value()) << "the drain took longer than it may";
    join();
    return report->value_or(engine::drain_report{});
}

void replica::crash()
{
    source.sever();
    publisher.sever();
    if (!courier->draining())
        begin_drain(steady_duration{0});
    join();
}

void replica::join()
{
    pushes.hold = true; // nothing starts any more; what is under way is cut off
    domain::push_reply cut;
    cut.reach = domain::reach::unknown;
    cut.failure = domain::transport_failure::cancelled;
    pushes.answer_all(cut);
    tokens.answer_all();
    auto joined = std::make_shared<std::optional<bool>>();
    asio::co_spawn(loop_, courier->join(time_.now()), [joined](const std::exception_ptr&, bool all) { *joined = all; });
    time_.settle();
    EXPECT_EQ(*joined, true) << "coroutines of the engine were left behind";
    source.sever(); // the process is gone: nobody is there to be told of what comes
    publisher.sever();
    if (*joined == true)
        courier.reset();
    else
        static_cast<void>(courier.release()); // destroying it would end the process
}

courier_test::courier_test()
{
    log::configure(log::level::off, log::format::text);
    engine::app_options shop;
    shop.name = "shop";
    shop.appid = "wx-shop";
    shop.app_secret = secret("shop's secret");
    shop.limits.rate_per_second = 1e6;
    shop.limits.burst = 1e6;
    auto game = shop;
    game.name = "game";
    game.appid = "wx-game";
    options.worker = "test";
    options.apps = {shop, game};
    options.status_topic = "push.status";
    options.dead_letter_topic = "push.dead";
    options.max_delay = std::chrono::hours{24 * 7};
    options.random_seed = 1;
}

replica& courier_test::start(const std::function<void(replica&)>& prepare)
{
    replicas.push_back(std::make_unique<replica>(loop, time, log, options, prepare));
    return *replicas.back();
}

replica& courier_test::start_with_partition()
{
    auto& started = start();
    started.source.assign(0);
    time.settle();
    return started;
}

courier_test::held_replica courier_test::start_held()
{
    auto& started = start();
    started.pushes.hold = true;
    const auto partition = started.source.assign(0);
    time.settle();
    return {started, partition};
}

replica& courier_test::start_with_all(const std::function<void(replica&)>& prepare)
{
    auto& started = start(prepare);
    started.source.assign(0);
    for (const auto& topic : options.delayed.topics)
        started.source.assign(topic.name, 0);
    time.settle();
    return started;
}

std::int64_t courier_test::append(const job_text& job, std::int32_t partition)
{
    return log.append(partition, job.json(), time.wall_now(), "key");
}

void courier_test::append_jobs(int count, int first)
{
    for (int i = first; i < first + count; ++i)
        append(job_text("j" + std::to_string(i)).to("o" + std::to_string(i)));
}

std::map<std::string, std::string> courier_test::headers_of(const engine::outbound_record& record)
{
    std::map<std::string, std::string> headers;
    for (const auto& each : record.headers)
        headers[each.name] = each.value.value_or("(null)");
    return headers;
}

std::map<std::string, std::string> courier_test::outcomes() const
{
    std::map<std::string, std::string> outcomes;
    for (const auto& each : replicas)
        for (const auto& status : each->publisher.statuses()) {
            if (status.state == domain::job_state::deferred || status.state == domain::job_state::event)
                continue;
            const auto word = std::string(to_string(status.state)) + (status.reason.empty() ? "" : "/" + status.reason);
            const auto [place, is_new] = outcomes.emplace(status.touser.value_or("(null)"), word);
            EXPECT_TRUE(is_new) << place->first << " has two terminal statuses: " << place->second << ", " << word;
        }
    return outcomes;
}

std::int64_t courier_test::committed(std::int32_t partition) const
{
    const auto& commit = log.partitions.at(partition).committed;
    return commit ? commit->next_offset : -1;
}

} // namespace wxcourier::test
