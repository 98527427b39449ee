// SPDX-License-Identifier: Apache-2.0
/// @file
/// The configuration → what each module is told. Modules know no YAML and not each other.
#pragma once

#include "config/settings.hpp"
#include "engine/options.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/topic_admin.hpp"
#include "wechat/client_settings.hpp"
#include "wechat/shared_token_client.hpp"

#include <array>
#include <string>
#include <vector>

namespace wxcourier::app {

/// What the engine is told of an app.
engine::app_options app_options_of(const config::app_settings& app);
/// How much may be in memory, by how much may be under way.
engine::admission_limits admission_of(const config::settings& settings);

/// What holds for single classes of failures.
std::array<domain::class_limits, domain::retry_class_count> class_limits_of(const config::retry_settings& retry);

/// @param worker  the instance's id.
/// @param seat    see process_seat.
engine::engine_options engine_options_of(const config::settings& settings, std::string worker, std::string seat = {});
kafka::client_settings kafka_client_of(const config::settings& settings);
kafka::consumer_settings consumer_of(const config::settings& settings);
kafka::producer_settings producer_of(const config::settings& settings);
wechat::client_settings wechat_client_of(const config::settings& settings);

wechat::shared_token_settings shared_token_of(const config::settings& settings, const config::app_settings& app);

/// Whether the tokens of `classic` apps are shared over the token topic: with `token_key` such an app may be there, or
/// come while the worker runs.
bool shares_tokens(const config::settings& settings);

/// The delayed topics, shortest first.
std::vector<engine::delayed_options::topic> delayed_topics_of(const config::settings& settings);

/// Every topic the worker needs to be there.
std::vector<std::string> topics_of(const config::settings& settings);
/// How a missing topic is to be made; only with `topics.create`.
kafka::topic_specification specification_of(const config::settings& settings, const std::string& topic);

/// `HOST-PID`: names this process in statuses and logs.
std::string instance_id();

} // namespace wxcourier::app
