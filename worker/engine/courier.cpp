// SPDX-License-Identifier: Apache-2.0
#include "engine/courier.hpp"

#include "common/log.hpp"
#include "common/moment.hpp"
#include "domain/kinds.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

/// Records read in one turn of the loop, so that answers and timers are not kept waiting.
constexpr std::size_t records_a_turn = 256;
constexpr milliseconds housekeeping_interval{100};
constexpr int housekeeping_rounds_a_second = 10;

std::vector<domain::app_limits> limits_of(const std::deque<app_options>& apps)
{
    std::vector<domain::app_limits> limits;
    limits.reserve(apps.size());
    for (const auto& each : apps)
        limits.push_back(queue_limits_of(each));
    return limits;
}

/// Half as many finished messages as may be in flight make a commit due (docs/reference.md, `commit_interval`):
/// the bound on repeats holds sends back while as many as may be in flight are not committed, so commits must not wait
/// for all of those. This many are enough to be worth one.
constexpr std::size_t most_before_a_commit = 4096;

std::size_t eager_after(const engine_options& options)
{
    return std::clamp<std::size_t>(in_flight_limit(options) / 2, 1, most_before_a_commit);
}

std::uint64_t seed_of(const engine_options& options)
{
    return options.random_seed != 0 ? options.random_seed
                                    : (std::uint64_t{std::random_device{}()} << 32U) + std::random_device{}();
}

} // namespace

courier::courier(const engine_options& options, asio::any_io_executor executor, clock& time, job_source& source,
                 record_publisher& publisher, push_api& pushes, token_api& tokens, metrics_registry& metrics,
                 std::function<void(const std::string&)> on_failure)
    : options_(options), executor_(std::move(executor)), time_(time), source_(source), random_(seed_of(options)),
      tasks_(executor_, time,
             [this](std::exception_ptr failure) {
                 try {
                     std::rethrow_exception(failure);
                 } catch (const std::exception& error) {
                     on_failure_(std::string("defect: ") + error.what());
                 }
             }),
      queue_(limits_of(options_.apps)), memory_shares_(options_),
      committer_(source, time, metrics, options_.commit_interval, eager_after(options_),
                 !options_.delivery.at_most_once && !options_.ordered_by_key),
      reporter_(options_, publisher, time, metrics),
      credentials_(
          options_.apps, tokens, queue_, time, metrics,
          [this] { return std::uniform_real_distribution<>(0, 1)(random_); }, [this] { wake_dispatch(); }),
      delayed_(options_, source, committer_, reporter_, time, metrics, tasks_, [this] { read(); }),
      ledger_(options_, deliveries_, queue_, committer_, reporter_, memory_, memory_shares_, delayed_, time, metrics,
              [this] {
                  progress_.notify();
                  read();
              }),
      senders_(
          options_, deliveries_, queue_, credentials_, pushes, time, metrics,
          [this] { return std::uniform_real_distribution<>(0, 1)(random_); }, tasks_, ledger_),
      operators_(
          options_, {queue_, senders_, reporter_, time, metrics}, [this](domain::app_index app) { follow_rate(app); },
          [this] { wake_dispatch(); }),
      intake_(options_, source, committer_, ledger_, delayed_, memory_, memory_shares_, time, metrics), progress_(time),
      housekeeping_(time.make_alarm()), on_failure_(std::move(on_failure)), metrics_(metrics),
      rebalances_(metrics["wxcourier_rebalances_total"]), loop_lag_(metrics["wxcourier_loop_lag_seconds"].with())
{
    if (options_.fleet) {
        fleet_ = std::make_unique<fleet>(options_, publisher, time, metrics);
        shared_tokens_ = std::make_unique<fleet_tokens>(options_, fleet_->voice(), tokens, credentials_, time);
        rates_ = std::make_unique<fleet_rates>(options_, fleet_->voice(), queue_, time, metrics, [this] {
            senders_.follow_rates();
            wake_dispatch();
        });
        fleet_->join(*shared_tokens_);
        fleet_->join(*rates_);
        quotas_ = std::make_unique<fleet_quotas>(
            options_, fleet_->voice(), fleet_quotas::surroundings{queue_, credentials_, time, metrics, tasks_},
            [this] { wake_dispatch(); });
        fleet_->join(*quotas_);
        senders_.on_quota_refused([this](domain::lane where) { return quotas_->wait_after_refusal(where); });
        senders_.follow_days([this] { return quotas_->follow_calendar(); });
        operators_.join(fleet_->voice());
        fleet_->join(operators_);
        credentials_.on_replaced([this](domain::app_index app) { operators_.announce_token(options_.apps[app].name); });
        operators_.on_token_renewed([this](const std::string& name) {
            if (const auto app = find_app(name))
                credentials_.take_up_replaced(*app);
        });
    }
    ledger_.set_pool(senders_);
    committer_.on_room([this] { read(); });
    metrics.before_exposition([this, &metrics] { refresh_gauges(metrics); });
}

courier::~courier() = default;

void courier::learn_quotas_from(quota_api& api)
{
    if (quotas_)
        quotas_->learn_from(api);
}

void courier::start()
{
    tasks_.spawn(committer_.run());
    tasks_.spawn(reporter_.run());
    tasks_.spawn(senders_.run());
    tasks_.spawn(delayed_.run());
    tasks_.spawn(housekeeping());
    credentials_.start(tasks_);
    operators_.start(tasks_);
    if (fleet_)
        fleet_->start(tasks_);
}

std::optional<domain::app_index> courier::find_app(const std::string& name) const
{
    for (domain::app_index app = 0; app < options_.apps.size(); ++app)
        if (!options_.apps[app].removed && options_.apps[app].name == name)
            return app;
    return std::nullopt;
}

domain::app_index courier::add_app(const app_options& added, token_source* source)
{
    domain::app_index app = 0;
    while (app < options_.apps.size()) {
        const auto& known = options_.apps[app];
        if (known.removed && known.name == added.name && known.type == added.type && known.appid == added.appid)
            break;
        ++app;
    }
    metrics_.show("app", added.name);
    if (app == options_.apps.size()) {
        options_.apps.push_back(added);
        queue_.add_app(queue_limits_of(added));
        senders_.add_app();
        memory_shares_.add_app(added);
        credentials_.add_app();
        if (rates_) {
            rates_->add_app(added);
            quotas_->add_app(app);
        }
        join_token_source(app, source);
        credentials_.start_app(app);
        operators_.add_app(app);
    } else {
        closing_.erase(app);
        options_.apps[app].removed = false;
        change_limits(app, added.limits);
        if (quotas_)
            quotas_->add_app(app);
        change_tokens(app, added, source);
    }
    follow_capacity();
    intake_.add_app(app);
    read();
    return app;
}

void courier::remove_app(domain::app_index app)
{
    options_.apps[app].removed = true;
    closing_.insert(app);
    intake_.remove_app(options_.apps[app].name);
    follow_capacity();
}

/// The configuration's, but for what an operator has said.
void courier::follow_rate(domain::app_index app)
{
    const auto& configured = options_.apps[app].limits;
    const auto said = operators_.limits_of(app);
    const auto rate = said.per_second.value_or(configured.rate_per_second);
    const auto burst = said.burst.value_or(configured.burst);
    if (rates_)
        rates_->set_limit(app, rate, burst);
    else
        queue_.set_rate(app, rate, burst);
    senders_.follow_rates();
}

void courier::change_limits(domain::app_index app, const domain::app_limits& limits)
{
    options_.apps[app].limits = limits;
    follow_rate(app);
    senders_.follow_concurrency(app);
    if (quotas_)
        quotas_->change_app(app);
    queue_.set_weight(app, limits.weight);
    queue_.set_recipient_limit(app, limits.per_recipient, time_.now());
    follow_capacity();
    wake_dispatch();
}

void courier::change_tokens(domain::app_index app, const app_options& wanted, token_source* source)
{
    options_.apps[app].token = wanted.token;
    options_.apps[app].app_secret = wanted.app_secret;
    if (shared_tokens_)
        shared_tokens_->remove_app(app);
    credentials_.renew_keeper(app);
    join_token_source(app, source);
    credentials_.start_app(app);
}

void courier::change_retry(domain::backoff_limits retry, milliseconds give_up_after,
                           const std::array<domain::class_limits, domain::retry_class_count>& per_class)
{
    options_.delivery.per_class = per_class;
    options_.delivery.retry = retry;
    options_.delivery.give_up_after = give_up_after;
}

void courier::join_token_source(domain::app_index app, token_source* source)
{
    if (source != nullptr)
        credentials_.use_source(app, *source);
    else if (shared_tokens_)
        shared_tokens_->add_app(app, options_.apps[app]);
}

/// What is bounded by all apps' concurrency together.
void courier::follow_capacity()
{
    ledger_.follow_concurrency();
    committer_.commit_after(eager_after(options_));
}

void courier::close_removed_apps()
{
    for (auto each = closing_.begin(); each != closing_.end();) {
        const auto app = *each;
        if (intake_.in_use(app)) {
            ++each;
            continue;
        }
        each = closing_.erase(each);
        const auto& name = options_.apps[app].name;
        credentials_.stop_app(app);
        if (shared_tokens_)
            shared_tokens_->remove_app(app);
        if (!find_app(name))
            metrics_.hide("app", name);
        log::info("courier", "a removed app has nothing left to send", {{"app", name}});
    }
}

void courier::read()
{
    // Posted, not called: a burst of acknowledgements makes one turn of reading, and no call nests in another.
    if (read_posted_ || draining_)
        return;
    read_posted_ = true;
    asio::post(executor_, [this] {
        read_posted_ = false;
        if (quotas_)
            static_cast<void>(quotas_->follow_calendar());
        ledger_.go_on_with_keys();
        const auto worth = ledger_.worth_reading(); // with none, whoever ends or waits calls again
        const bool dry = worth == 0 || intake_.read(std::min(records_a_turn, worth));
        senders_.dispatch();
        if (rates_) {
            quotas_->on_work();
            rates_->on_work();
        }
        if (!dry)
            read();
    });
}

void courier::wake_dispatch()
{
    if (dispatch_posted_)
        return;
    dispatch_posted_ = true;
    asio::post(executor_, [this] {
        dispatch_posted_ = false;
        senders_.dispatch();
    });
}

asio::awaitable<void> courier::housekeeping()
{
    auto next = time_.now();
    for (int round = 0; !stopped_; ++round) {
        next += housekeeping_interval;
        co_await housekeeping_->wait_until(next);
        const auto late = time_.now() - next;
        loop_lag_.observe(std::max(0.0, std::chrono::duration<double>(late).count()));
        next = std::max(next, time_.now() - housekeeping_interval);
        const moment of_this_round; // no wait from here on
        if (rates_) {
            quotas_->look();
            rates_->look();
        }
        memory_shares_.look_who_is_quick();
        read(); // it may be worth more than a moment ago
        if (round % housekeeping_rounds_a_second != 0)
            continue;
        senders_.follow_wall_clock();
        ledger_.look_after_waits(credentials_, operators_);
        delayed_.follow_wall_clock();
        intake_.give_up_on_unknown_apps();
        close_removed_apps();
    }
}

void courier::on_assigned(const std::vector<partition_assignment>& assigned)
{
    joined_ = true;
    rebalances_.with({"assigned"}).add();
    std::vector<partition_assignment> of_jobs;
    for (const auto& each : assigned) {
        committer_.add(each);
        auto* const added = committer_.find(each.id);
        added->delayed = delayed_.index_of(each.topic);
        if (draining_)
            added->going = true;
        if (!added->delayed)
            of_jobs.push_back(each);
    }
    if (fleet_) {
        rates_->on_assigned(of_jobs); // rates follow the partitions that producers write to
        fleet_->on_assigned(assigned);
    }
    read();
}

void courier::on_revoking(const std::vector<assignment_id>& going)
{
    rebalances_.with({"revoked"}).add();
    tasks_.spawn(give_up(going));
}

asio::awaitable<void> courier::give_up(std::vector<assignment_id> going)
{
    co_await settle(going, time_.now() + options_.revoke_timeout);
    if (fleet_) {
        fleet_->on_gone(going);
        rates_->on_gone(going);
    }
    source_.release(going);
    for (const auto id : going)
        committer_.remove(id); // from here on a late completion finds no offset to touch
}

void courier::on_lost(const std::vector<assignment_id>& gone)
{
    rebalances_.with({"lost"}).add();
    log::warn("courier", "partitions were lost; what was under way may be sent again by their new owner",
              {{"partitions", static_cast<std::uint64_t>(gone.size())}});
    if (fleet_) {
        fleet_->on_gone(gone);
        rates_->on_gone(gone);
    }
    for (const auto id : gone)
        if (auto* const each = committer_.find(id))
            each->going = true;
    ledger_.let_go(gone);
    intake_.let_go(gone);
    for (const auto id : gone)
        committer_.remove(id);
    progress_.notify();
}

asio::awaitable<bool> courier::settle(std::vector<assignment_id> ids, steady_time deadline)
{
    for (const auto id : ids)
        if (auto* const each = committer_.find(id))
            each->going = true;
    ledger_.let_go(ids);
    intake_.let_go(ids);
    reporter_.write_gathered();
    while (ledger_.busy(ids) != 0 && !stopped_ && time_.now() < deadline)
        co_await progress_.wait_until(deadline);
    co_return co_await committer_.flush(ids, deadline);
}

asio::awaitable<drain_report> courier::drain(steady_time deadline)
{
    draining_ = true;
    intake_.stop();
    senders_.stop();
    reporter_.stop();
    std::vector<assignment_id> all;
    for (const auto& [id, partition] : committer_.partitions())
        all.push_back(id);
    drain_report report;
    // A part of the time is kept for the commit, which is worth more than a slow answer.
    const auto now = time_.now();
    const auto for_sends = deadline - std::min<steady_duration>(seconds{2}, (deadline - now) / 4);
    for (const auto id : all)
        committer_.find(id)->going = true;
    ledger_.let_go(all);
    intake_.let_go(all);
    while (ledger_.busy(all) != 0 && time_.now() < for_sends)
        co_await progress_.wait_until(for_sends);
    report.cut_short = ledger_.busy(all);
    report.committed = co_await committer_.flush(all, deadline);
    stopped_ = true;
    senders_.abandon();
    committer_.stop();
    delayed_.stop();
    operators_.stop();
    if (fleet_)
        fleet_->stop();
    credentials_.stop();
    housekeeping_->wake();
    progress_.notify();
    co_return report;
}

void courier::on_records()
{
    read();
}

void courier::on_committed(std::uint64_t commit, const std::vector<commit_result>& results)
{
    committer_.on_committed(commit, results);
}

void courier::on_source_failed(const std::string& why)
{
    on_failure_(why);
}

void courier::on_published(std::uint64_t ticket, publish_result result)
{
    if (!fleet_ || !fleet_->on_published(ticket))
        reporter_.on_published(ticket, result);
}

void courier::refresh_gauges(metrics_registry& metrics)
{
    auto& queued = metrics["wxcourier_queued"];
    auto& waiting = metrics["wxcourier_waiting_for_recipient"];
    auto& forgotten = metrics["wxcourier_recipient_sends_forgotten_total"];
    auto& held = metrics["wxcourier_repeats_held"];
    for (auto* const each : {&queued, &waiting, &held, &forgotten})
        for (const auto& app : options_.apps)
            each->with({app.name}).set(0);
    for (domain::app_index app = 0; app < options_.apps.size(); ++app) {
        const auto& name = options_.apps[app].name; // that of a removed app may be another's now
        queued.with({name}).add(static_cast<double>(queue_.queued(app)));
        waiting.with({name}).add(static_cast<double>(queue_.waiting_for_recipients(app)));
        held.with({name}).add(static_cast<double>(queue_.held_repeats(app)));
        forgotten.with({name}).add(static_cast<double>(queue_.recipients_forgotten(app)));
    }
    refresh_parks(metrics);
    metrics["wxcourier_waiting_for_key"].with().set(static_cast<double>(ledger_.waiting_for_keys()));
    metrics["wxcourier_partitions_assigned"].with().set(static_cast<double>(committer_.partitions().size()));
    const auto oldest = oldest_jobs();
    auto& unfinished = metrics["wxcourier_partition_unfinished"];
    auto& age = metrics["wxcourier_partition_oldest_unfinished_seconds"];
    unfinished.clear();
    age.clear();
    for (const auto& [id, each] : committer_.partitions()) {
        const std::vector<std::string> labels{each.topic, std::to_string(each.number)};
        unfinished.with(labels).set(static_cast<double>(each.tracker.unfinished()));
        const auto found = oldest.find(id);
        const auto waited = found == oldest.end() ? wall_time::duration::zero() : time_.wall_now() - found->second;
        age.with(labels).set(std::max(0.0, std::chrono::duration<double>(waited).count()));
    }
}

void courier::refresh_parks(metrics_registry& metrics)
{
    auto& parked = metrics["wxcourier_parked"];
    auto& remaining = metrics["wxcourier_parked_seconds"];
    parked.clear();
    remaining.clear();
    const auto now = time_.now();
    const auto labels_of = [this](domain::lane where) {
        return std::vector<std::string>{options_.apps[where.app].name,
                                        std::string(domain::all_kinds()[where.call].name)};
    };
    for (domain::app_index app = 0; app < options_.apps.size(); ++app)
        for (std::uint32_t call = 0; call < domain::all_kinds().size(); ++call)
            if (const auto until = queue_.held_until({app, call}, domain::priority::normal, now)) {
                parked.with(labels_of({app, call})).set(0);
                remaining.with(labels_of({app, call})).set(std::chrono::duration<double>(*until - now).count());
            }
    if (parked.series().empty())
        return; // as almost always: nothing needs to be counted
    deliveries_.for_each([&](domain::queue_item, const delivery& message) {
        if (message.at == delivery::stage::queued &&
            queue_.held_until(message.job->lane, message.job->job.priority, now))
            parked.with(labels_of(message.job->lane)).add();
    });
}

std::map<assignment_id, wall_time> courier::oldest_jobs()
{
    std::map<assignment_id, wall_time> oldest;
    const auto note = [&oldest](const job_in_progress& job) {
        const auto [found, is_new] = oldest.try_emplace(job.assignment, job.written_at);
        if (!is_new)
            found->second = std::min(found->second, job.written_at);
    };
    deliveries_.for_each([&note](domain::queue_item, const delivery& message) { note(*message.job); });
    intake_.for_each_waiting(note);
    for (const auto& [id, each] : committer_.partitions()) {
        for (const auto& job : each.fan_outs)
            note(*job);
        if (each.held)
            note(*each.held);
    }
    return oldest;
}

} // namespace wxcourier::engine
