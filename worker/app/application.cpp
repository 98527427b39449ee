// SPDX-License-Identifier: Apache-2.0
#include "app/application.hpp"

#include "app/configuration_file.hpp"
#include "app/settings_mapping.hpp"
#include "app/token_page.hpp"
#include "common/log.hpp"
#include "common/version.hpp"
#include "kafka/library.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;

/// Missing topics are looked for again after this.
constexpr seconds topic_check_interval{2};
constexpr seconds topic_check_timeout{3};
/// What closing the clients may take beyond the drain.
constexpr seconds close_timeout{4};
/// After a failure nothing can be committed any more; what is under way still gets its status.
constexpr seconds failed_drain_timeout{3};
/// No word from the Kafka client's event queue for so long: it hangs.
constexpr seconds longest_silence{60};
/// Connections opened before the first job.
constexpr std::size_t warm_connections = 4;

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& each : names)
        text += (text.empty() ? "" : ", ") + each;
    return text;
}

void tell(const config::change& each)
{
    if (each.before == each.after) // what it is must not be shown
        log::info("config", "changed", {{"key", each.key}});
    else
        log::info("config", "changed", {{"key", each.key}, {"from", each.before}, {"to", each.after}});
}

void tell_changes(const config::difference& found)
{
    for (const auto& name : found.added)
        log::info("config", "an app was added", {{"app", name}});
    for (const auto& name : found.removed)
        log::info("config", "an app was removed; its jobs in memory still end", {{"app", name}});
    for (const auto& app : found.changed)
        for (const auto& each : app.changes)
            tell(each);
    for (const auto& each : found.retry)
        tell(each);
    for (const auto& each : found.log)
        tell(each);
    for (const auto& key : found.needs_restart)
        log::warn("config", "a changed key needs a restart; its old value stays in force", {{"key", key}});
}

} // namespace

application::application(asio::io_context& io, config::settings settings, std::string file)
    : settings_(std::move(settings)), seat_(settings_.kafka.group_id + '/' + settings_.topics.fleet), io_(io),
      clock_(io.get_executor()), options_(engine_options_of(settings_, instance_id(), seat_.name())),
      tasks_(io.get_executor(), clock_,
             [this](std::exception_ptr failure) {
                 try {
                     std::rethrow_exception(failure);
                 } catch (const std::exception& error) {
                     fail(std::string("defect: ") + error.what());
                 }
             }),
      transport_(io, wechat_client_of(settings_)), pushes_(transport_), tokens_(transport_), quotas_(transport_),
      producer_(io.get_executor(), producer_of(settings_)), consumer_(io.get_executor(), consumer_of(settings_)),
      courier_(options_, io.get_executor(), clock_, consumer_, producer_, pushes_, tokens_, metrics_,
               [this](const std::string& why) { fail(why); }),
      fleet_(io.get_executor(), kafka_client_of(settings_), options_.fleet->fleet_topic,
             shares_tokens(settings_) ? options_.fleet->tokens_topic : "", clock_),
      secrets_(clock_, metrics_), roster_(io, courier_, secrets_, settings_),
      configuration_(std::move(file), clock_, metrics_, configuration_reader_.get_executor(), read_configuration,
                     [this](const config::settings& wanted) { return follow(wanted); }),
      listener_(io.get_executor(), {.name = "http", .host = settings_.http.host, .port = settings_.http.port},
                ops::probe_handler({[this] { return liveness(); }, [this] { return readiness(); },
                                    [this] { return token_page(settings_, options_.worker, courier_, clock_.now()); },
                                    &metrics_})),
      stop_(clock_.make_alarm())
{
    metrics_["wxcourier_build_info"].with({std::string(version), kafka::library_version()}).set(1);
    metrics_["wxcourier_start_time_seconds"].with().set(
        std::chrono::duration<double>(clock_.wall_now().time_since_epoch()).count());
    metrics_.before_exposition([this] { refresh_gauges(); });
    if (settings_.admin.listen)
        open_admin_desk();
}

application::~application() = default;

asio::awaitable<int> application::run()
{
    log::info("app", "starting",
              {{"version", version}, {"worker", options_.worker}, {"librdkafka", kafka::library_version()}});
    tasks_.spawn(listener_.run());
    if (admin_)
        tasks_.spawn(admin_->run());
    bool clean = true;
    // All that a first send needs begins at once: connections, tokens, the log of the group, and the look at the
    // topics, after which this process joins the group.
    tasks_.spawn(transport_.warm(warm_connections));
    producer_.start(courier_);
    courier_.learn_quotas_from(quotas_);
    courier_.start();
    tasks_.spawn(fleet_.run(*courier_.fleet_log()));
    tasks_.spawn(secrets_.run());
    tasks_.spawn(configuration_.run());
    const bool joins = co_await wait_for_topics();
    if (joins) {
        not_ready_ = "joining the consumer group";
        courier_.know_delayed_partitions(delayed_partitions_);
        consumer_.start(courier_);
        while (!stopping_ && !failure_)
            co_await stop_->wait_until(std::nullopt);
        clean = co_await drain();
    } else { // nothing was read
        configuration_.stop();
        static_cast<void>(co_await courier_.drain(clock_.now()));
    }
    // Whether the clients close in time changes nothing for the jobs, and so not the exit code; they log it.
    const auto deadline = clock_.now() + close_timeout;
    static_cast<void>(co_await consumer_.close(deadline));
    static_cast<void>(co_await producer_.close(deadline));
    transport_.stop();
    roster_.stop();
    secrets_.stop();
    listener_.stop();
    if (admin_)
        admin_->stop();
    fleet_.stop();
    co_await courier_.join(deadline);
    co_await tasks_.join(deadline);
    log::info("app", clean && !failure_ ? "stopped" : "stopped, not everything was finished", {});
    co_return clean && !failure_ ? 0 : 1;
}

/// The client for administration goes while the worker works.
asio::awaitable<void> application::close(std::unique_ptr<kafka::topic_admin> admin)
{
    const auto deadline = clock_.now() + close_timeout;
    static_cast<void>(co_await admin->close(deadline));
}

asio::awaitable<bool> application::wait_for_topics()
{
    auto admin = std::make_unique<kafka::topic_admin>(io_.get_executor(), kafka_client_of(settings_));
    std::string reported;
    not_ready_ = "looking for the topics at " + settings_.kafka.bootstrap_servers;
    while (!stopping_) {
        const auto wanted = topics_of(settings_);
        auto found = co_await admin->find_missing(wanted, clock_.now() + topic_check_timeout);
        if (found.error.empty() && !found.missing.empty() && settings_.topics.create && !stopping_) {
            std::vector<kafka::topic_specification> specifications;
            specifications.reserve(found.missing.size());
            for (const auto& name : found.missing)
                specifications.push_back(specification_of(settings_, name));
            const auto refused = co_await admin->create(specifications, clock_.now() + topic_check_timeout);
            if (refused.empty()) {
                fleet_.look_again();
                continue;
            }
            found.error = "topics could not be created: " + joined(refused);
        }
        if (found.error.empty() && found.missing.empty()) {
            for (const auto& topic : options_.delayed.topics)
                delayed_partitions_[topic.name] = found.partitions[topic.name];
            break;
        }
        not_ready_ = found.error.empty()
                         ? "missing topics: " + joined(found.missing) + " (topics.create would make them)"
                         : "Kafka at " + settings_.kafka.bootstrap_servers + ": " + found.error;
        if (not_ready_ != reported)
            log::warn("app", "waiting for Kafka", {{"reason", not_ready_}});
        reported = not_ready_;
        co_await stop_->wait_until(clock_.now() + topic_check_interval);
    }
    tasks_.spawn(close(std::move(admin)));
    co_return !stopping_;
}

asio::awaitable<bool> application::drain()
{
    log::info("app", "draining", {{"reason", failure_ ? *failure_ : "asked to stop"}});
    not_ready_ = "draining";
    configuration_.stop();
    const auto limit = failure_ ? milliseconds(failed_drain_timeout) : settings_.delivery.drain_timeout;
    const auto deadline = clock_.now() + limit;
    const auto report = co_await courier_.drain(deadline);
    const bool flushed = co_await producer_.flush(deadline);
    if (report.cut_short != 0)
        log::warn("app",
                  "the drain limit cut messages short; they are sent again by the next owner of their partitions",
                  {{"messages", static_cast<std::uint64_t>(report.cut_short)}});
    log::info("app", "drained, closing", {{"committed", report.committed ? "yes" : "no"}});
    // Words for other replicas that Kafka does not take any more are nobody's loss.
    co_return report.clean() && (flushed || courier_.all_reported());
}

void application::stop()
{
    stopping_ = true;
    stop_->wake();
}

void application::reload()
{
    configuration_.look_now();
}

void application::fail(const std::string& why)
{
    log::error("app", "the worker cannot go on", {{"reason", why}});
    if (!failure_)
        failure_ = why;
    stop_->wake();
}

ops::probe_state application::liveness() const
{
    ops::probe_state state;
    const auto silent = clock_.now() - consumer_.last_served();
    state.good = !failure_ && (!courier_.has_joined() || silent < longest_silence);
    if (failure_)
        state.details.emplace_back("failure", *failure_);
    if (!state.good && !failure_)
        state.details.emplace_back("kafka", "its client's events have not been served for a minute");
    return state;
}

ops::probe_state application::readiness() const
{
    ops::probe_state state;
    if (!consumer_.joined() || stopping_ || failure_) {
        state.good = false;
        state.details.emplace_back("worker", failure_.value_or(not_ready_));
    }
    if (!fleet_.problem().empty()) {
        state.good = false;
        state.details.emplace_back("fleet", fleet_.problem());
    }
    for (domain::app_index app = 0; app < courier_.apps().size(); ++app) {
        if (courier_.apps()[app].removed)
            continue;
        const auto report = courier_.credential_state(app);
        const auto name = "app/" + courier_.apps()[app].name;
        if (report.health == domain::token_health::halted) {
            state.details.emplace_back(name, "halted: " + std::string(report.reason) + ": " + report.detail);
        } else if (report.health != domain::token_health::good) {
            state.good = false;
            state.details.emplace_back(name, report.reason.empty()
                                                 ? "no token yet"
                                                 : "no token: " + std::string(report.reason) + ": " + report.detail);
        }
    }
    for (const auto& each : consumer_.stopped_partitions())
        state.details.emplace_back("partition/" + each, "stopped: its commit lies beyond the log's end");
    return state;
}

configuration_watch::following application::follow(const config::settings& wanted)
{
    const auto found = config::compare(settings_, wanted);
    configuration_watch::following result{roster_.follow(found, wanted), !found.nothing_to_follow(),
                                          found.needs_restart.size()};
    if (!result.refusals.empty())
        return result;
    settings_ = config::followed(std::move(settings_), wanted);
    courier_.change_admission(admission_of(settings_));
    transport_.allow_connections(wechat_client_of(settings_).max_connections);
    const auto& retry = settings_.delivery.retry;
    courier_.change_retry({retry.initial, retry.max}, retry.give_up_after, class_limits_of(retry));
    // The old level tells of a change to `off`, the new one of a change to `debug`.
    tell_changes(found);
    log::configure(settings_.log.level, settings_.log.format);
    return result;
}

void application::open_admin_desk()
{
    admin_ = std::make_unique<admin_desk>(io_.get_executor(), settings_.admin, options_.worker, courier_, clock_,
                                          metrics_, [this] { stop(); });
    secrets_.add("admin", settings_.admin.token_source, settings_.admin.token, [this](const secret& token) {
        if (token.reveal().size() >= config::shortest_admin_token)
            admin_->use_token(token);
        else
            log::error("admin", "the changed admin token is too short; the old one stays in use", {});
    });
}

void application::refresh_gauges()
{
    const auto& counters = transport_.counters();
    metrics_["wxcourier_connections"].with({"idle"}).set(static_cast<double>(counters.idle));
    metrics_["wxcourier_connections"].with({"busy"}).set(static_cast<double>(counters.busy));
    auto& opened = metrics_["wxcourier_connections_opened_total"];
    opened.with({"opened"}).set(static_cast<double>(counters.opened));
    opened.with({"resolve_failed"}).set(static_cast<double>(counters.resolve_failed));
    opened.with({"connect_failed"}).set(static_cast<double>(counters.connect_failed));
    opened.with({"tls_failed"}).set(static_cast<double>(counters.tls_failed));
    metrics_["wxcourier_ready"].with().set(readiness().good ? 1 : 0);
    const auto consumed = consumer_.stats();
    metrics_["wxcourier_partitions_stopped"].with().set(static_cast<double>(consumed.stopped_partitions));
    metrics_["wxcourier_records_skipped_total"].with().set(static_cast<double>(consumed.records_fallen_off));
    auto& lag = metrics_["wxcourier_partition_lag"];
    auto& waiting = metrics_["wxcourier_delayed_waiting"];
    lag.clear();
    waiting.clear();
    for (const auto& topic : options_.delayed.topics)
        waiting.with({topic.name});
    for (const auto& [where, records] : consumer_.lag()) {
        const auto behind = static_cast<double>(records);
        if (delayed_partitions_.contains(where.topic))
            waiting.with({where.topic}).add(behind); // what waits there is not late
        else
            lag.with({where.topic, std::to_string(where.partition)}).set(behind);
    }
}

} // namespace wxcourier::app
