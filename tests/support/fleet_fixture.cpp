// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fleet_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace wxcourier::test {
namespace {

/// From a producer to the log, and from the log to each reader.
constexpr milliseconds append_time{2};
constexpr milliseconds read_time{3};

} // namespace

asio::awaitable<engine::token_reply> classic_endpoint::call(std::function<bool()> alive)
{
    const auto alarm = time_.make_alarm();
    calls.push_back(time_.now());
    most_in_flight = std::max(most_in_flight, ++in_flight);
    co_await alarm->wait_until(time_.now() + way_there);
    engine::token_reply reply = no_token(std::nullopt, "connection refused");
    if (!down) {
        valid = "classic-" + std::to_string(++made);
        ends = time_.now() + life;
        reply = token(valid, life);
    }
    co_await alarm->wait_until(time_.now() + way_back);
    --in_flight;
    if (!alive())
        reply = no_token(std::nullopt, "nobody hears it");
    co_return reply;
}

asio::awaitable<engine::quota_reply> quota_desk::ask(engine::quota_request request)
{
    constexpr milliseconds latency{30};
    const auto alarm = time_.make_alarm();
    calls.push_back({request.kind->name, time_.now()});
    co_await alarm->wait_until(time_.now() + latency);
    co_return answer();
}

fleet_test::fleet_test()
{
    log::configure(log::level::off, log::format::text);
    engine::app_options shop;
    shop.name = "shop";
    shop.appid = "wx-shop";
    shop.app_secret = secret("shop's secret");
    shop.limits.rate_per_second = 1e6;
    shop.limits.burst = 1e6;
    shop.token.origin = domain::token_origin::classic;
    shop.token.renew_before = std::chrono::minutes{10};
    options.worker = "test";
    options.apps = {shop};
    options.status_topic = "push.status";
    options.dead_letter_topic = "push.dead";
    options.max_delay = std::chrono::hours{24 * 7};
    options.random_seed = 1;
    options.fleet.emplace();
    options.fleet->fleet_topic = "push.fleet";
    options.fleet->tokens_topic = "push.tokens";
    options.fleet->leading_topic = jobs.topic;
    options.fleet->token_key = secret(std::string(32, 'k'));
}

fleet_test::~fleet_test()
{
    for (auto& each : members) {
        each->source.sever();
        each->statuses.sever();
        each->alive = false;
    }
    for (auto& each : members) {
        asio::co_spawn(loop, each->courier->drain(time.now()), [](const std::exception_ptr&, engine::drain_report) {});
        time.settle();
        each->pushes.hold = true;
        each->pushes.answer_all();
    }
    time.advance(seconds{30}); // what was waited for has ended by then
    for (auto& each : members) {
        auto joined = std::make_shared<bool>(false);
        asio::co_spawn(loop, each->courier->join(time.now()),
                       [joined](const std::exception_ptr&, bool all) { *joined = all; });
        time.settle();
        EXPECT_TRUE(*joined) << "coroutines of the engine were left behind";
        if (*joined)
            each->courier.reset();
        else
            static_cast<void>(each->courier.release());
    }
}

group_member& fleet_test::start(milliseconds clock_off, const log_reading& reading)
{
    members.push_back(std::make_unique<group_member>(loop, time, jobs, endpoint, clock_off));
    auto& added = *members.back();
    added.publisher = std::make_unique<group_member::own_publisher>(
        [this, &added](engine::outbound_record record, std::uint64_t ticket) {
            if (record.topic != options.fleet->fleet_topic && record.topic != options.fleet->tokens_topic)
                return added.statuses.publish(std::move(record), ticket);
            if (writable)
                append_soon(added, std::move(record), ticket);
            else
                unwritten.push_back([this, &added, ticket, record = std::move(record)]() mutable {
                    append_soon(added, std::move(record), ticket);
                });
        });
    auto own = options;
    own.worker = "worker-" + std::to_string(members.size());
    own.fleet->member = "member-" + std::to_string(members.size());
    own.random_seed = members.size();
    added.courier = std::make_unique<engine::courier>(own, loop.get_executor(), added.clock, added.source,
                                                      *added.publisher, added.pushes, added.tokens, added.metrics,
                                                      [this](const std::string& why) { failures.push_back(why); });
    added.source.attach(*added.courier);
    added.statuses.attach(*added.courier);
    added.pushes.otherwise = [this](const auto& call) { return judge(call); };
    added.pushes.latency = [](const auto&) { return milliseconds{20}; };
    if (quotas)
        added.courier->learn_quotas_from(*quotas);
    added.courier->start();
    added.read = reading.first;
    added.reads = reading.reads;
    if (added.reads)
        catch_up(added);
    time.settle();
    return added;
}

void fleet_test::catch_up(group_member& member)
{
    auto& log = *member.courier->fleet_log();
    const bool all = member.read == 0;
    member.reads = true;
    for (; member.read < shared.size(); ++member.read)
        log.on_log_record(shared[member.read]);
    if (!all && log.wants_older())
        for (const auto& each : shared)
            log.on_older_record(each);
    log.on_log_caught_up();
}

void fleet_test::append_soon(group_member& writer, engine::outbound_record record, std::uint64_t ticket)
{
    if (!writer.alive)
        return;
    time.after(append_time, [this, &writer, ticket, record = std::move(record)]() mutable {
        if (!writer.alive)
            return;
        write(std::move(record));
        time.after(read_time, [&writer, ticket] {
            if (writer.alive)
                writer.courier->on_published(ticket, engine::publish_result::acknowledged);
        });
    });
}

void fleet_test::make_writable()
{
    writable = true;
    for (auto& each : std::exchange(unwritten, {}))
        each();
}

void fleet_test::start_group(std::size_t count, const std::vector<milliseconds>& clocks_off)
{
    for (std::size_t i = 0; i < count; ++i) {
        auto& added = start(i < clocks_off.size() ? clocks_off[i] : milliseconds{0});
        assign(added, static_cast<std::int32_t>(i));
    }
    time.settle();
}

void fleet_test::assign(group_member& to, std::int32_t partition)
{
    jobs.partitions[partition]; // there is one
    to.holds[partition] = to.source.assign(partition);
    to.source.tell_of_records();
}

void fleet_test::kill(group_member& victim)
{
    victim.alive = false;
    victim.killed_at = time.now();
    victim.source.sever();
    victim.statuses.sever();
    victim.pushes.hold = true;
    time.after(session_timeout, [this, gone = victim.holds] {
        const auto heir = std::find_if(members.begin(), members.end(), [](const auto& each) { return each->alive; });
        if (heir == members.end())
            return;
        for (const auto& [partition, assignment] : gone)
            assign(**heir, partition);
    });
}

void fleet_test::lose_all(group_member& member)
{
    std::vector<engine::assignment_id> gone;
    gone.reserve(member.holds.size());
    for (const auto& [partition, assignment] : member.holds)
        gone.push_back(assignment);
    member.holds.clear();
    member.source.lose(gone);
}

void fleet_test::append_jobs(std::size_t rounds)
{
    for (std::size_t round = 0; round < rounds; ++round)
        for (auto& [partition, each] : jobs.partitions)
            jobs.append(partition, job_text("job-" + std::to_string(next_job++)).json(), time.wall_now(), "key");
    for (auto& each : members)
        if (each->alive)
            each->source.tell_of_records();
}

group_member* fleet_test::leader()
{
    group_member* found = nullptr;
    for (auto& each : members) {
        if (!each->alive || each->metrics["wxcourier_fleet_leader"].with().value() == 0)
            continue;
        if (found != nullptr)
            return nullptr;
        found = each.get();
    }
    return found;
}

std::map<std::string, std::string> fleet_test::outcomes() const
{
    std::map<std::string, std::string> found;
    for (const auto& each : members)
        for (const auto& status : each->statuses.statuses())
            if (status.state != domain::job_state::deferred && status.state != domain::job_state::event)
                found[status.touser.value_or("")] = std::string(to_string(status.state));
    return found;
}

void fleet_test::write(engine::outbound_record record)
{
    const auto offset = static_cast<std::int64_t>(shared.size());
    shared.push_back({std::move(record.topic), std::move(record.key), std::move(record.value), offset});
    time.after(read_time, [this] { deliver(); });
}

void fleet_test::deliver()
{
    for (auto& each : members) {
        if (!each->alive || !each->reads)
            continue;
        for (; each->read < shared.size(); ++each->read)
            each->courier->fleet_log()->on_log_record(shared[each->read]);
    }
}

domain::push_reply fleet_test::judge(const scripted_pushes::call& call)
{
    if (endpoint.accepts(call.token))
        return accepted();
    // It becomes known with the answer.
    const auto [known, is_new] = known_dead.emplace(call.token, time.now() + milliseconds{20});
    if (time.now() > known->second + seconds{1})
        late_sends.push_back(call.token);
    return answer(40001, "invalid credential");
}

} // namespace wxcourier::test
