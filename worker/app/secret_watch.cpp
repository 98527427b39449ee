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

using numbered_sources = std::vector<std::pair<secret_watch::entry, config::secret_source>>;
using numbered_readings = std::vector<std::pair<secret_watch::entry, config::secret_reading>>;

asio::awaitable<numbered_readings> read_all(numbered_sources sources)
{
    numbered_readings readings;
    readings.reserve(sources.size());
    for (const auto& [number, source] : sources)
        readings.emplace_back(number, config::read_secret(source));
    co_return readings;
}

} // namespace

secret_watch::secret_watch(engine::clock& time, metrics_registry& metrics)
    : time_(time), rotations_(metrics["wxcourier_secret_rotations_total"]), alarm_(time.make_alarm())
{
}

secret_watch::entry secret_watch::add(std::string app, config::secret_source source, secret current,
                                      std::function<void(secret)> take)
{
    if (source.from != config::secret_source::kind::file)
        return 0;
    files_.emplace(++last_, watched{std::move(app), std::move(source), std::move(current), std::nullopt, std::string{},
                                    std::move(take)});
    return last_;
}

asio::awaitable<void> secret_watch::run()
{
    while (!stopping_) {
        co_await alarm_->wait_until(time_.now() + interval);
        if (stopping_)
            break;
        numbered_sources sources;
        for (const auto& [number, each] : files_)
            sources.emplace_back(number, each.source);
        if (sources.empty())
            continue;
        auto reading = read_all(std::move(sources));
        auto readings = co_await asio::co_spawn(reader_, std::move(reading), asio::use_awaitable);
        for (auto& [number, each] : readings) // some may be watched no longer
            if (const auto found = files_.find(number); found != files_.end() && !stopping_)
                judge(found->second, std::move(each.text), std::move(each.failure));
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
