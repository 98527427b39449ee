// SPDX-License-Identifier: Apache-2.0
#include "commands/replay.hpp"

#include "app/letter_replay.hpp"
#include "commands/loaded_settings.hpp"
#include "commands/progress_bar.hpp"
#include "common/rfc3339.hpp"
#include "config/durations.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

struct replay_options {
    std::string config;
    std::vector<std::string> reasons;
    std::string app;
    std::string kind;
    std::string id;
    std::string state;
    std::string since;
    std::string until;
    int most_replays = domain::usual_most_replays;
    double rate = 0;
    bool dry_run = false;
    bool yes = false;
};

/// A time, or how long ago it was. Empty: neither.
std::optional<wall_time> read_time(const std::string& text)
{
    if (const auto time = parse_rfc3339(text))
        return time;
    const auto ago = config::parse_duration(text);
    if (const auto* const span = std::get_if<milliseconds>(&ago))
        return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()) - *span;
    return std::nullopt;
}

std::string refuse_bad_time(const std::string& text)
{
    return read_time(text) ? std::string{} : "expected a time (2026-11-24T08:00:00Z) or how long ago (6h)";
}

domain::letter_filter filter_of(const replay_options& options)
{
    const auto given = [](const std::string& text) {
        return text.empty() ? std::nullopt : std::optional<std::string>(text);
    };
    domain::letter_filter filter;
    filter.reasons = options.reasons;
    filter.app = given(options.app);
    filter.kind = given(options.kind);
    filter.id = given(options.id);
    if (!options.state.empty())
        filter.state = options.state == "failed" ? domain::job_state::failed : domain::job_state::rejected;
    filter.since = read_time(options.since);
    filter.until = read_time(options.until);
    filter.most_replays = options.most_replays;
    return filter;
}

void print(const app::letter_account& account, const std::string& topic)
{
    std::cout << topic << ": " << account.read << (account.read == 1 ? " letter, " : " letters, ") << account.chosen
              << " to be replayed\n";
    std::array<std::size_t, 3> widths{3, 5, 6};
    for (const auto& [kind, count] : account.kinds)
        widths = {std::max(widths[0], kind.app.size()), std::max(widths[1], kind.state.size()),
                  std::max(widths[2], kind.reason.size())};
    const auto padded = [](const std::string& text, std::size_t width) {
        return text + std::string(width - text.size() + 2, ' ');
    };
    if (!account.kinds.empty())
        std::cout << "  " << padded("APP", widths[0]) << padded("STATE", widths[1]) << padded("REASON", widths[2])
                  << "LETTERS\n";
    for (const auto& [kind, count] : account.kinds)
        std::cout << "  " << padded(kind.app, widths[0]) << padded(kind.state, widths[1])
                  << padded(kind.reason, widths[2]) << count << '\n';
    for (const auto& [verdict, count] : account.left_out)
        std::cout << "left out: " << count << ' ' << describe(verdict) << '\n';
    std::cout << std::flush;
}

bool agreed(std::uint64_t count)
{
    std::cerr << "Put " << count << (count == 1 ? " letter" : " letters") << " back? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string listed(const std::set<std::string>& names)
{
    std::string text;
    for (const auto& each : names)
        text += (text.empty() ? "" : ", ") + each;
    return text;
}

/// Runs one step to its end, and gives its error.
template <typename Step>
std::string run_step(asio::io_context& io, Step step)
{
    std::string error;
    asio::co_spawn(io, step(), [&](std::exception_ptr failure, std::string why) {
        if (failure)
            std::rethrow_exception(failure);
        error = std::move(why);
        io.stop();
    });
    io.restart();
    io.run();
    return error;
}

int failed(const std::string& error)
{
    std::cerr << "wxcourier: " << error << '\n';
    return 1;
}

int replay(const replay_options& options)
{
    const auto settings = load_settings(options.config, config::secrets::of_kafka);
    if (!settings)
        return 2;
    asio::io_context io(1);
    app::letter_replay work(io, *settings, filter_of(options),
                            options.rate > 0 ? std::optional(options.rate) : std::nullopt);
    {
        std::optional<progress_bar> bar;
        const auto error = run_step(io, [&] {
            return work.look([&bar](std::uint64_t done, std::uint64_t total) {
                if (!bar)
                    bar.emplace("reading", total);
                bar->update(done);
            });
        });
        bar.reset();
        if (!error.empty())
            return failed(error);
    }
    print(work.found(), settings->topics.dead_letter);
    const auto chosen = work.found().chosen;
    if (options.dry_run || chosen == 0)
        return 0;
    if (!options.yes && isatty(STDIN_FILENO) == 1 && !agreed(chosen))
        return 0;
    bool stopped = false;
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&stopped](const boost::system::error_code& error, int) { stopped = stopped || !error; });
    std::string error;
    {
        progress_bar bar("replay", chosen);
        error = run_step(io, [&] {
            return work.put_back([&bar](std::uint64_t done, std::uint64_t) { bar.update(done); }, stopped);
        });
    }
    std::cout << work.replayed() << " replayed";
    if (work.replayed() > 0)
        std::cout << " to " << listed(work.topics());
    std::cout << (stopped ? "; stopped, run it again for the rest\n" : "\n");
    if (!error.empty())
        return failed(error);
    return stopped ? 1 : 0;
}

} // namespace

void add_replay(CLI::App& program, int& exit_code)
{
    auto* const command =
        program.add_subcommand("replay", "Put dead letters back on the jobs topic, none of them twice");
    const auto options = std::make_shared<replay_options>();
    command->add_option("-c,--config", options->config, "The configuration, a YAML file")
        ->required()
        ->type_name("FILE");
    command->add_option("--reason", options->reasons,
                        "Only letters with this reason; may be given more than once. Those with an unknown outcome are "
                        "put back only if outcome_unknown is named");
    command->add_option("--app", options->app, "Only this app's");
    command->add_option("--kind", options->kind, "Only this kind");
    command->add_option("--id", options->id, "Only the job of this id");
    command->add_option("--state", options->state, "Only failed, or only rejected ones")
        ->check(CLI::IsMember({"failed", "rejected"}));
    command->add_option("--since", options->since, "Only letters from then on: a time (RFC 3339), or how long ago (6h)")
        ->check(refuse_bad_time)
        ->type_name("TIME");
    command->add_option("--until", options->until, "Only letters before then")
        ->check(refuse_bad_time)
        ->type_name("TIME");
    command
        ->add_option("--max-replays", options->most_replays,
                     "Leave out jobs that have been replayed so often and came back")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_option("--rate", options->rate, "Jobs a second, at most; without it as fast as Kafka takes them")
        ->check(CLI::PositiveNumber);
    command->add_flag("--dry-run", options->dry_run, "Only say how many of what there are");
    command->add_flag("-y,--yes", options->yes, "Do not ask");
    command->callback([options, &exit_code] { exit_code = replay(*options); });
}

} // namespace wxcourier::commands
