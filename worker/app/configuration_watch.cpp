// SPDX-License-Identifier: Apache-2.0
#include "app/configuration_watch.hpp"

#include "common/log.hpp"
#include "config/fingerprint.hpp"
#include "config/yaml_document.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;

/// A file that is wrong all through need not fill the log.
constexpr std::size_t most_reasons_told = 20;

asio::awaitable<config::file_reading> read(std::string path)
{
    co_return config::read_file(path, config::max_file_bytes, config::file_kind::regular);
}

asio::awaitable<config::load_outcome> load(configuration_watch::load_function how, std::string text)
{
    co_return how(text);
}

double since_epoch(wall_time time)
{
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

} // namespace

configuration_watch::configuration_watch(std::string path, engine::clock& time, metrics_registry& metrics,
                                         asio::any_io_executor reader, load_function load, follow_function follow)
    : path_(std::move(path)), time_(time), reader_(std::move(reader)), load_(std::move(load)),
      follow_(std::move(follow)), alarm_(time.make_alarm()), reloads_(metrics["wxcourier_config_reloads_total"]),
      fingerprint_(metrics["wxcourier_config_info"]),
      applied_at_(metrics["wxcourier_config_applied_timestamp_seconds"].with()),
      refused_(metrics["wxcourier_config_refused"].with()),
      needs_restart_(metrics["wxcourier_config_needs_restart"].with())
{
    applied_at_.set(since_epoch(time.wall_now()));
    for (const auto* const result : {"applied", "unchanged", "refused"})
        reloads_.with({result});
}

asio::awaitable<void> configuration_watch::run()
{
    bool first = true;
    while (!stopping_ && !path_.empty()) {
        if (!std::exchange(first, false) && !asked_)
            co_await alarm_->wait_until(time_.now() + interval);
        if (!stopping_)
            co_await look(std::exchange(asked_, false));
    }
}

void configuration_watch::stop()
{
    stopping_ = true;
    alarm_->wake();
}

void configuration_watch::look_now()
{
    asked_ = true;
    alarm_->wake();
}

asio::awaitable<void> configuration_watch::look(bool asked)
{
    auto reading = read(path_);
    auto file = co_await asio::co_spawn(reader_, std::move(reading), asio::use_awaitable);
    // A file that cannot be read has a fingerprint too: it must stay so for two looks before it is worth a word.
    const auto content = config::fingerprint(file.failure.empty() ? file.text : '\0' + file.failure);
    if (stopping_ || !is_due(content, asked))
        co_return;
    if (!file.failure.empty()) {
        refuse({path_ + ": the file " + file.failure}, asked);
        co_return;
    }
    auto loading = load(load_, std::move(file.text));
    const auto outcome = co_await asio::co_spawn(reader_, std::move(loading), asio::use_awaitable);
    if (!stopping_)
        take(outcome, content, asked);
}

/// Whether what stands there now is to be read as a configuration.
bool configuration_watch::is_due(const std::string& content, bool asked)
{
    const bool twice = std::exchange(seen_, content) == content;
    if (asked || !in_force_)
        return true;
    if (content != *in_force_)
        return twice;
    if (!complaint_.empty()) {
        complaint_.clear();
        refused_.set(0);
        log::info("config", "the file is again the one in force", {{"file", path_}});
    }
    return false;
}

void configuration_watch::take(const config::load_outcome& outcome, const std::string& content, bool asked)
{
    std::vector<std::string> reasons;
    reasons.reserve(outcome.errors.size());
    for (const auto& each : outcome.errors)
        reasons.push_back(config::to_string(each, path_));
    following result;
    if (reasons.empty()) {
        result = follow_(*outcome.loaded);
        for (const auto& each : result.refusals)
            reasons.push_back(path_ + ": " + each);
    }
    if (!reasons.empty()) {
        refuse(std::move(reasons), asked);
        return;
    }
    const bool learnt_only = !in_force_ && !asked && !result.changed;
    in_force_ = content;
    complaint_.clear();
    refused_.set(0);
    needs_restart_.set(static_cast<double>(result.needs_restart));
    show(content);
    if (learnt_only)
        return;
    applied_at_.set(since_epoch(time_.wall_now()));
    reloads_.with({result.changed ? "applied" : "unchanged"}).add();
    for (const auto& each : outcome.warnings)
        log::warn("config", config::to_string(each, path_), {});
    log::info("config", result.changed ? "the new configuration is in force" : "read again, nothing to follow",
              {{"file", path_}, {"sha256", content}});
}

void configuration_watch::refuse(std::vector<std::string> reasons, bool asked)
{
    std::string complaint;
    for (const auto& each : reasons)
        complaint += each + '\n';
    refused_.set(1);
    if (!asked && complaint == complaint_)
        return;
    complaint_ = std::move(complaint);
    reloads_.with({"refused"}).add();
    for (std::size_t i = 0; i < reasons.size() && i < most_reasons_told; ++i)
        log::error("config", reasons[i], {});
    log::error("config", "the new configuration is refused; what was in force before stays so",
               {{"file", path_}, {"reasons", static_cast<std::uint64_t>(reasons.size())}});
}

void configuration_watch::show(const std::string& content)
{
    fingerprint_.clear();
    fingerprint_.with({content}).set(1);
}

} // namespace wxcourier::app
