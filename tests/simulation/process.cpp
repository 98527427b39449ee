// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/process.hpp"

#include "domain/classify.hpp"
#include "tests/support/scripted_pushes.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace wxcourier::simulation {

using engine::assignment_id;

namespace {

constexpr seconds drain_limit{20};

} // namespace

process::process(std::string name, std::string seat, asio::io_context& loop, test::manual_clock& time,
                 chronicle& record, facts& truth, broker& kafka, wechat& far_end, const setting& how)
    : name_(std::move(name)), seat_(std::move(seat)), loop_(loop), time_(time), record_(record), truth_(truth),
      kafka_(kafka), far_end_(far_end), rates_(how.engine.apps.size()), options_(how.engine)
{
    options_.worker = name_;
    if (options_.fleet) {
        options_.fleet->member = name_;
        options_.fleet->seat = seat_;
    }
    options_.random_seed = 1 + record_.below(1'000'000'000);
    courier_ = std::make_unique<engine::courier>(
        options_, loop_.get_executor(), time_, *this, *this, *this, *this, metrics_,
        [this](const std::string& why) { record_.violate(name_ + " cannot go on: " + why); });
    courier_->start();
    kafka_.follow(*this);
}

process::~process() = default;

// --------------------------------------------------------------------------------------------------------- its end

void process::crash()
{
    if (!alive_)
        return;
    record_.note(0xC0, [this] { return name_ + " crashes"; });
    check_repeats();
    alive_ = false;
    if (courier_->draining()) { // nobody sees it any more; what is left of it goes when its drain has ended
        time_.after(drain_limit, [this] { end(); });
        return;
    }
    asio::co_spawn(loop_, courier_->drain(time_.now()), [](const std::exception_ptr&, engine::drain_report) {});
    end();
}

/// Ends its coroutines, unseen by the rest of the world.
void process::end()
{
    alive_ = false;
    time_.settle();
    domain::push_reply cut;
    cut.reach = domain::reach::unknown;
    cut.failure = domain::transport_failure::cancelled;
    for (auto& [number, call] : sends_)
        if (call.parked())
            call.complete(cut);
    for (auto& [number, call] : fetches_)
        if (call.parked())
            call.complete({});
    time_.settle();
    auto joined = std::make_shared<bool>(false);
    asio::co_spawn(loop_, courier_->join(time_.now()),
                   [joined](const std::exception_ptr&, bool all) { *joined = all; });
    time_.settle();
    record_.require(*joined, "coroutines were left behind");
    if (*joined)
        courier_.reset();
    else
        static_cast<void>(courier_.release()); // destroying it would end the program
}

void process::drain(std::function<void()> ended)
{
    record_.note(0xD0, [this] { return name_ + " drains"; });
    asio::co_spawn(loop_, courier_->drain(time_.now() + drain_limit),
                   [this, ended = std::move(ended)](const std::exception_ptr& failure, engine::drain_report report) {
                       if (failure)
                           record_.violate("a drain failed");
                       if (!alive_)
                           return;
                       const bool clean = report.clean();
                       record_.note(clean ? 1 : 0, [this, clean] {
                           return name_ + (clean ? " has drained" : " could not drain all");
                       });
                       // Not from inside a coroutine of its own.
                       time_.after(milliseconds{0}, [this, ended, clean] {
                           if (!alive_)
                               return;
                           if (clean)
                               check_clean_end();
                           kafka_.leave(*this, clean);
                           end();
                           ended();
                       });
                   });
}

/// Contract 7.1: after a crash, repeats are at most twice what was in flight.
void process::check_repeats()
{
    if (options_.delivery.at_most_once)
        return;
    std::size_t repeats = sends_.size();
    for (const auto& [partition, id] : held_)
        if (kafka_.told(id)->without_metadata)
            return;
    for (const auto& [message, id] : requested_) {
        const auto account = message->within(id);
        const bool waits_for_retry = account.unknown && !account.concluded;
        if (assignment_of(message->job->partition) == id && message->under_way == 0 && account.deliveries > 0 &&
            !waits_for_retry && !kafka_.committed(message->job->partition).covers(*message))
            ++repeats;
    }
    const auto most = 2 * engine::in_flight_limit(options_);
    if (repeats > most)
        record_.violate("a crash repeats " + std::to_string(repeats) + " messages, more than " + std::to_string(most));
}

/// All that was begun has been committed, or can be begun anew.
void process::check_clean_end()
{
    for (const auto& [partition, id] : held_) {
        if (kafka_.told(id)->without_metadata || !kafka_.owns(id))
            continue;
        for (const auto& [message, by] : requested_)
            if (by == id && message->within(id).concluded &&
                !kafka_.committed(message->job->partition).covers(*message))
                record_.violate("a clean end left a finished message uncommitted");
        if (options_.delivery.at_most_once && !kafka_.disturbed(partition))
            for (const auto& [offset, job] : truth_.by_place[partition])
                for (const auto& message : job->messages)
                    if (message.statuses() == 0 && kafka_.committed(partition).covers(message))
                        record_.violate("a clean end lost a message that was committed");
    }
}

// -------------------------------------------------------------------------------------------------------------- Kafka

void process::on_assigned(const engine::partition_assignment& told)
{
    held_[told.partition] = told.id;
    ++assignments[told.partition];
    courier_->on_assigned({told});
}

void process::on_revoking(const std::vector<assignment_id>& going)
{
    record_.note(going.front(), [this] { return name_ + " is asked to give partitions up"; });
    courier_->on_revoking(going);
}

void process::on_lost(const std::vector<assignment_id>& gone)
{
    record_.note(gone.front(), [this] { return name_ + " learns that partitions are gone"; });
    for (const auto id : gone)
        std::erase_if(held_, [id](const auto& each) { return each.second == id; });
    courier_->on_lost(gone);
}

assignment_id process::assignment_of(std::int32_t partition) const
{
    const auto found = held_.find(partition);
    return found == held_.end() ? 0 : found->second;
}

std::optional<engine::inbound_record> process::poll(assignment_id assignment)
{
    return alive_ ? kafka_.poll(*this, assignment) : std::nullopt;
}

std::uint64_t process::commit(const std::vector<engine::offset_commit>& offsets)
{
    for (const auto& each : offsets)
        record_.require(std::any_of(held_.begin(), held_.end(),
                                    [&each](const auto& held) { return held.second == each.assignment; }),
                        "a commit for a partition that had gone");
    return alive_ ? kafka_.commit(*this, offsets) : 0;
}

void process::release(const std::vector<assignment_id>& going)
{
    if (!alive_)
        return;
    kafka_.release(*this, going);
    for (const auto id : going)
        std::erase_if(held_, [id](const auto& each) { return each.second == id; });
}

void process::publish(engine::outbound_record record, std::uint64_t ticket)
{
    if (alive_)
        kafka_.publish(*this, std::move(record), ticket);
}

// ------------------------------------------------------------------------------------------------------------- WeChat

void process::check_rate(std::uint32_t app)
{
    // The generic cell rate algorithm once more, as the judge of the token bucket.
    const auto& limits = options_.apps[app].limits;
    const auto interval =
        std::chrono::duration_cast<steady_duration>(std::chrono::duration<double>(1 / limits.rate_per_second));
    const auto ahead = std::chrono::duration_cast<steady_duration>(
        std::chrono::duration<double>((limits.burst - 1) / limits.rate_per_second));
    auto& check = rates_[app];
    auto& next_free = options_.fleet ? truth_.rate_free_at[app] : check.next_free;
    record_.require(next_free <= time_.now() + ahead + std::chrono::microseconds{1}, "more than the rate allows");
    next_free = std::max(next_free, time_.now()) + interval;
    record_.require(check.under_way < limits.concurrency, "more at once than the concurrency allows");
}

void process::check_send(const message_fact& message, assignment_id by)
{
    const auto& job = *message.job;
    record_.require(job.valid, "a rejected job was sent");
    // What at_most_once has committed nobody else sends, so the process goes on with it when its partition has gone.
    record_.require(by != 0 || options_.delivery.at_most_once, "a message was sent whose partition had gone");
    record_.require(!message.within(by).concluded, "a message was sent again after its final answer");
    record_.require(!job.expire_at || time_.wall_now() < *job.expire_at, "a message was sent after its time");
    record_.require(!job.not_before || time_.wall_now() >= *job.not_before, "a message was sent before its time");
    if (const auto* const told = kafka_.told(by); told != nullptr && !options_.delivery.at_most_once)
        record_.require(!told->from.covers(message), "a message was sent that an earlier assignment had finished");
    if (options_.delivery.at_most_once)
        record_.require(kafka_.committed(job.partition).covers(message), "at_most_once sent before it committed");
    if (options_.ordered_by_key && job.key) {
        auto& furthest = truth_.furthest_sent[{job.partition, *job.key}];
        record_.require(!kafka_.owns(by) || job.offset >= furthest, "a job was sent after a later one of its key");
        furthest = std::max(furthest, job.offset);
    }
}

asio::awaitable<domain::push_reply> process::send(engine::push_request request)
{
    auto& message = truth_.message(test::touser_of(request.body.start));
    const auto app = message.job->app;
    const auto number = ++last_call_;
    auto& call = sends_[number];
    if (alive_ && record_.chance(0.05)) { // needs a new connection first
        time_.after(record_.between(milliseconds{1}, seconds{3}), [this, number] {
            const auto waiting = sends_.find(number);
            if (waiting != sends_.end() && waiting->second.parked())
                waiting->second.complete({});
        });
        auto connected = co_await call.wait();
        if (!alive_) {
            sends_.erase(number);
            co_return connected;
        }
    }
    if (alive_ && !request.gate->opens()) {
        const bool opened = co_await request.gate->opened();
        if (!opened) {
            sends_.erase(number);
            domain::push_reply unsent;
            unsent.failure = domain::transport_failure::cancelled;
            co_return unsent;
        }
    }
    if (!alive_) { // until end()
        auto cut = co_await call.wait();
        co_return cut;
    }
    const auto by = assignment_of(message.job->partition);
    record_.note(number, [&] {
        return name_ + " sends to o" + std::to_string(message.job->number) + "-" + std::to_string(message.index);
    });
    check_send(message, by);
    check_rate(app);
    ++rates_[app].under_way;
    ++message.under_way;
    requested_[&message] = by;
    if (requested_.size() > 4096)
        std::erase_if(requested_, [this](const auto& each) {
            return kafka_.committed(each.first->job->partition).covers(*each.first);
        });
    far_end_.send(message, by, request.body.whole(), std::string(request.token),
                  [this, number](const domain::push_reply& reply) {
                      const auto waiting = sends_.find(number);
                      if (waiting != sends_.end() && waiting->second.parked())
                          waiting->second.complete(reply);
                  });
    auto reply = co_await call.wait();
    sends_.erase(number);
    --rates_[app].under_way;
    --message.under_way;
    const auto step = domain::classify(reply, false).step;
    auto& account = message.during[by];
    account.unknown = account.unknown || step == domain::next_step::retry_unknown;
    account.concluded = account.concluded || step == domain::next_step::accept || step == domain::next_step::fail;
    co_return reply;
}

asio::awaitable<engine::token_reply> process::fetch(engine::token_request request)
{
    const auto number = ++last_call_;
    auto& call = fetches_[number];
    if (!alive_) {
        auto cut = co_await call.wait();
        co_return cut;
    }
    std::uint32_t app = 0;
    while (options_.apps[app].appid != request.appid)
        ++app;
    if (request.call == domain::token_call::stable_forced) {
        const auto [last, is_first] = last_forced_.try_emplace(options_.apps[app].name, time_.now());
        record_.require(is_first || time_.now() - last->second >= seconds{30}, "forced token calls too close together");
        last->second = time_.now();
    }
    far_end_.fetch(app, request.call, [this, number](const engine::token_reply& reply) {
        const auto waiting = fetches_.find(number);
        if (waiting != fetches_.end() && waiting->second.parked())
            waiting->second.complete(reply);
    });
    auto reply = co_await call.wait();
    fetches_.erase(number);
    co_return reply;
}

} // namespace wxcourier::simulation
