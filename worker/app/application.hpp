// SPDX-License-Identifier: Apache-2.0
/// @file
/// Composition root of the worker: builds the adapters and the engine, joins them, and takes them down in order. The
/// only place that knows every module.
#pragma once

#include "app/admin_desk.hpp"
#include "app/app_roster.hpp"
#include "app/configuration_watch.hpp"
#include "app/fleet_follower.hpp"
#include "app/process_seat.hpp"
#include "app/real_clock.hpp"
#include "app/secret_watch.hpp"
#include "common/metrics.hpp"
#include "config/settings.hpp"
#include "engine/courier.hpp"
#include "engine/options.hpp"
#include "engine/task_group.hpp"
#include "kafka/job_consumer.hpp"
#include "kafka/record_producer.hpp"
#include "kafka/topic_admin.hpp"
#include "ops/http_listener.hpp"
#include "ops/probes.hpp"
#include "wechat/push_client.hpp"
#include "wechat/quota_client.hpp"
#include "wechat/token_client.hpp"
#include "wechat/transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::app {

/// One worker. Lives on one io_context, run by one thread.
class application {
public:
    /// Builds everything; nothing is connected yet. @throws kafka::configuration_error, std::invalid_argument or
    /// boost::system::system_error for settings that cannot work (a wrong librdkafka property, an unreadable CA file,
    /// a taken listen address).
    /// @param file  where the settings were read from: followed when it changes. Empty: nothing is followed.
    application(engine::asio::io_context& io, config::settings settings, std::string file);
    application(const application&) = delete;
    application& operator=(const application&) = delete;
    ~application();

    /// Runs until stop() or a failure, then drains. Completes with the process's exit code: 0 when all that was in
    /// flight ended and was committed.
    engine::asio::awaitable<int> run();

    /// Begins the drain: SIGTERM. Idempotent.
    void stop();

    /// Reads the configuration again: SIGHUP. Before run() it is done as soon as the worker runs, while draining not.
    void reload();

    /// Where /livez, /readyz and /metrics are served.
    [[nodiscard]] std::string http_address() const { return listener_.address(); }

private:
    engine::asio::awaitable<bool> wait_for_topics();
    engine::asio::awaitable<void> close(std::unique_ptr<kafka::topic_admin> admin);
    engine::asio::awaitable<bool> drain();
    [[nodiscard]] ops::probe_state liveness() const;
    [[nodiscard]] ops::probe_state readiness() const;
    void fail(const std::string& why);
    void refresh_gauges();
    void open_admin_desk();
    configuration_watch::following follow(const config::settings& wanted);

    config::settings settings_;
    process_seat seat_; ///< Given up last.
    engine::asio::io_context& io_;
    real_clock clock_;
    metrics_registry metrics_;
    engine::engine_options options_;
    engine::task_group tasks_;
    wechat::transport transport_;
    wechat::push_client pushes_;
    wechat::token_client tokens_;
    wechat::quota_client quotas_;
    kafka::record_producer producer_;
    kafka::job_consumer consumer_;
    engine::courier courier_;
    fleet_follower fleet_;
    secret_watch secrets_;
    app_roster roster_;
    engine::asio::thread_pool configuration_reader_{1};
    configuration_watch configuration_;
    ops::http_listener listener_;
    std::unique_ptr<admin_desk> admin_; ///< Null: admin.listen is off.
    std::unique_ptr<engine::alarm> stop_;
    std::map<std::string, std::int32_t> delayed_partitions_; ///< Of each delayed topic.
    std::string not_ready_ = "starting";
    std::optional<std::string> failure_;
    bool stopping_ = false;
};

} // namespace wxcourier::app
