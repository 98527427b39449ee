// SPDX-License-Identifier: Apache-2.0
#include "commands/dashboard.hpp"

#include "app/dashboard_server.hpp"
#include "app/settings_mapping.hpp"
#include "commands/loaded_settings.hpp"
#include "config/network_address.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

struct dashboard_arguments {
    std::string config;
    std::string listen = "127.0.0.1:8090";
    std::string history = "24h";
};

int usage_error(const std::string& what)
{
    std::cerr << "wxcourier dashboard: " << what << '\n';
    return 2;
}

int dashboard(const dashboard_arguments& arguments)
{
    const auto address = config::parse_listen_address(arguments.listen);
    if (!address)
        return usage_error("--listen: '" + arguments.listen + "' is no HOST:PORT");
    const auto history = app::parse_history_start(arguments.history);
    if (!history)
        return usage_error("--from: '" + arguments.history + "' is none of start, live, and a duration such as 24h");
    const auto settings = load_settings(arguments.config, config::secrets::of_kafka);
    if (!settings)
        return 2;
    asio::io_context io(1);
    app::dashboard_server server(io, app::kafka_client_of(*settings), settings->topics.status,
                                 {address->host, address->port, *history});
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&server](const boost::system::error_code& error, int) {
        if (!error)
            server.stop();
    });
    std::cout << "listening on " << server.url() << '\n' << std::flush;
    asio::co_spawn(io, server.run(), [&io](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
        io.stop();
    });
    io.run();
    return 0;
}

} // namespace

void add_dashboard(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand("dashboard", "The ops web page, fed by the status topic");
    const auto arguments = std::make_shared<dashboard_arguments>();
    command->add_option("-c,--config", arguments->config, "The configuration, a YAML file")
        ->required()
        ->type_name("FILE");
    command->add_option("--listen", arguments->listen, "Address and port; port 0 takes a free one")
        ->capture_default_str()
        ->type_name("HOST:PORT");
    command
        ->add_option("--from", arguments->history,
                     "What is counted of what the topic holds already: start (all of it), live (none), or so long: 24h")
        ->capture_default_str()
        ->type_name("WHEN");
    command->callback([arguments, &exit_code] { exit_code = dashboard(*arguments); });
}

} // namespace wxcourier::commands
