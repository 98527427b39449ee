// SPDX-License-Identifier: Apache-2.0
#include "commands/run.hpp"

#include "app/application.hpp"
#include "app/loop_watchdog.hpp"
#include "app/settings_mapping.hpp"
#include "commands/loaded_settings.hpp"
#include "common/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

/// The first signal drains; the second one ends the process at once.
asio::awaitable<void> obey_signals(asio::signal_set& signals, app::application& worker)
{
    const auto [first_error, first] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (first_error)
        co_return;
    log::info("run", "signal received, draining; a second one stops at once", {{"signal", first}});
    worker.stop();
    const auto [second_error, second] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (second_error)
        co_return;
    log::warn("run", "second signal, stopping at once; what was in flight is sent again", {{"signal", second}});
    std::fflush(nullptr);
    _exit(1);
}

/// SIGHUP reads the configuration again, as often as it comes, until the worker ends.
asio::awaitable<void> obey_reloads(asio::signal_set& signals, app::application& worker)
{
    for (;;) {
        const auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error)
            co_return;
        log::info("run", "signal received, reading the configuration again", {{"signal", signal}});
        worker.reload();
    }
}

/// A core dump would hold secrets and access tokens: none is written, and no other process of the user may look inside.
void keep_memory_private()
{
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none); // where core_pattern is a file; a pipe asks for the flag below
    prctl(PR_SET_DUMPABLE, 0);
}

/// From here on SIGHUP does nothing: the end of the signal set that waits for it would make it deadly again, in the
/// middle of the worker's end.
void block_hangups()
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &hangup, nullptr);
}

int run_worker(config::settings settings, const std::string& file)
{
    keep_memory_private();
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context io(1);
    asio::signal_set reloads(io, SIGHUP); // goes after the worker, whose threads would take the signal and die of it
    std::unique_ptr<app::application> worker;
    try {
        worker = std::make_unique<app::application>(io, std::move(settings), file);
    } catch (const std::exception& error) {
        std::cerr << "wxcourier: " << error.what() << '\n';
        return 2;
    }
    asio::signal_set signals(io, SIGTERM, SIGINT);
    int exit_code = 1;
    const auto rethrow = [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    };
    asio::co_spawn(io, obey_signals(signals, *worker), rethrow);
    asio::co_spawn(io, obey_reloads(reloads, *worker), rethrow);
    asio::co_spawn(io, worker->run(), [&](std::exception_ptr failure, int code) {
        signals.cancel();
        reloads.cancel();
        rethrow(failure);
        exit_code = code;
        io.stop();
    });
    const app::loop_watchdog watchdog(io.get_executor(), {}, app::end_hung_process);
    io.run();
    block_hangups();
    if (exit_code != 0)
    { // threads of a client that could not be closed may still run: do not pull objects from under them
        std::fflush(nullptr);
        _exit(exit_code);
    }
    return exit_code;
}

int load_and_run(const std::string& path)
{
    std::signal(SIGHUP, SIG_IGN); // until the worker is there to follow it
    auto settings = load_settings(path, config::secrets::required);
    return settings ? run_worker(std::move(*settings), path) : 2;
}

} // namespace

void add_run(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand("run", "Run the worker until SIGTERM or SIGINT, then drain");
    const auto path = std::make_shared<std::string>();
    command->add_option("-c,--config", *path, "Configuration file")->required();
    command->callback([path, &exit_code] { exit_code = load_and_run(*path); });
}

} // namespace wxcourier::commands
