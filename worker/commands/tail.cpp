// SPDX-License-Identifier: Apache-2.0
#include "commands/tail.hpp"

#include "app/settings_mapping.hpp"
#include "codec/status_codec.hpp"
#include "commands/loaded_settings.hpp"
#include "commands/run_to_end.hpp"
#include "commands/status_line.hpp"
#include "kafka/record_reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

constexpr seconds open_patience{30};
constexpr seconds close_patience{5};
/// How soon a signal is noticed.
constexpr milliseconds look_interval{200};

struct tail_options {
    std::string config;
    std::string app;
    std::string state;
    std::string id;
    bool json = false;
    bool from_start = false;
    bool until_end = false;
};

bool wanted(const domain::status_record& status, const tail_options& options)
{
    return (options.app.empty() || status.app == options.app) &&
           (options.state.empty() || to_string(status.state) == options.state) &&
           (options.id.empty() || status.id == options.id);
}

void print(const std::string& value, const tail_options& options, bool colour)
{
    const auto status = codec::decode_status(value);
    if (!status) {
        std::cerr << "not a status: " << value.substr(0, 80) << '\n';
        return;
    }
    if (wanted(*status, options))
        std::cout << (options.json ? value : status_line(*status, colour)) << '\n' << std::flush;
}

asio::awaitable<int> follow(kafka::record_reader& reader, const tail_options& options, const bool& stopped)
{
    const auto error = co_await reader.open(steady_clock::now() + open_patience);
    if (!error.empty())
        std::cerr << "wxcourier: " << error << '\n';
    const bool colour = isatty(STDOUT_FILENO) == 1;
    while (error.empty() && !stopped && std::cout.good() && !(options.until_end && reader.at_end())) {
        const auto record = co_await reader.next(steady_clock::now() + look_interval);
        if (record && record->value)
            print(*record->value, options, colour);
    }
    co_await reader.close(steady_clock::now() + close_patience);
    co_return error.empty() ? 0 : 1;
}

int tail(const tail_options& options)
{
    const auto settings = load_settings(options.config, config::secrets::of_kafka);
    if (!settings)
        return 2;
    asio::io_context io(1);
    kafka::record_reader reader(io.get_executor(), app::kafka_client_of(*settings), {settings->topics.status},
                                options.from_start ? kafka::read_start(kafka::from_beginning{})
                                                   : kafka::read_start(kafka::from_end{}));
    bool stopped = false;
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&stopped](const boost::system::error_code& error, int) { stopped = stopped || !error; });
    return run_to_end(io, follow(reader, options, stopped));
}

} // namespace

void add_tail(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand("tail", "Follow the status topic, one line a status");
    const auto options = std::make_shared<tail_options>();
    command->add_option("-c,--config", options->config, "The configuration, a YAML file")
        ->required()
        ->type_name("FILE");
    command->add_option("--app", options->app, "Only this app's");
    command->add_option("--state", options->state, "Only this state: sent, failed, expired, rejected, deferred, …");
    command->add_option("--id", options->id, "Only this job's");
    command->add_flag("--json", options->json, "The raw records");
    command->add_flag("--from-start", options->from_start, "Begin with the oldest status kept, not with the next one");
    command->add_flag("--until-end", options->until_end, "Stop at what was the last status at the start");
    command->callback([options, &exit_code] { exit_code = tail(*options); });
}

} // namespace wxcourier::commands
