// SPDX-License-Identifier: Apache-2.0
#include "app/secret_watch.hpp"

#include "common/log.hpp"
#include "config/secret_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = engine::asio;

asio::awaitable<std::vector<config::secret_reading>> read_all(std::vector<config::secret_source> sources)
{
    std::vector<config::secret_reading> readings;
    readings.reserve(sources.size());
    for (const auto& each : sources)
        readings.push_back(config::read_secret(each));
    co_return readings;
}

} // namespace

secret_watch::secret_watch(engine::clock& time, metrics_registry& metrics)
    : time_(time), rotations_(metrics["wxcourier_secret_rotations_total"]), alarm_(time.make_alarm())
{
}

void secret_watch::add(std::string app, config::secret_source source, secret current, std::function<void(secret)> take)
{
    if (source.from == config::secret_source::kind::file)
        files_.push_back(
            {std::move(app), std::move(source), std::move(current), std::nullopt, std::string{}, std::move(take)});
}

asio::awaitable<void> secret_watch::run()
{
    std::vector<config::secret_source> sources;
    sources.reserve(files_.size());
    for (const auto& each : files_)
        sources.push_back(each.source);
    while (!stopping_ && !files_.empty()) {
        co_await alarm_->wait_until(time_.now() + interval);
        if (stopping_)
            break;
        auto reading = read_all(sources);
        auto readings = co_await asio::co_spawn(reader_, std::move(reading), asio::use_awaitable);
        for (std::size_t i = 0; i < files_.size() && !stopping_; ++i)
            judge(files_[i], std::move(readings[i].text), std::move(readings[i].failure));
    }
}

void secret_watch::stop()
{
    stopping_ = true;
    alarm_->wake();
}

void secret_watch::judge(watched& file, std::optional<secret> text, std::string flaw)
{
    if (text && *text == file.current) {
        file.seen.reset();
        file.complaint.clear();
        return;
    }
    if (text)
        flaw = config::flaw_of_word(*text);
    if (!flaw.empty()) {
        file.seen.reset();
        complain(file, std::move(flaw));
        return;
    }
    if (!file.seen || !(*file.seen == *text)) {
        file.seen = std::move(text); // it may still be in the middle of being written
        return;
    }
    file.seen.reset();
    file.complaint.clear();
    file.current = *text;
    rotations_.with({file.app, "read"}).add();
    log::info("secrets", "a changed secret was read", {{"app", file.app}, {"source", config::describe(file.source)}});
    file.take(std::move(*text));
}

void secret_watch::complain(watched& file, std::string flaw)
{
    if (flaw == file.complaint)
        return;
    file.complaint = std::move(flaw);
    rotations_.with({file.app, "unusable"}).add();
    log::error("secrets", "a changed secret is not usable; the old one stays in use",
               {{"app", file.app}, {"source", config::describe(file.source)}, {"why", file.complaint}});
}

} // namespace wxcourier::app
