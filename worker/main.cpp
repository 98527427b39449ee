// SPDX-License-Identifier: Apache-2.0
#include "commands/check_config.hpp"
#include "commands/ctl.hpp"
#include "commands/dashboard.hpp"
#include "commands/demo.hpp"
#include "commands/enqueue.hpp"
#include "commands/plan.hpp"
#include "commands/replay.hpp"
#include "commands/run.hpp"
#include "commands/simulator.hpp"
#include "commands/tail.hpp"
#include "commands/token.hpp"
#include "commands/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <exception>
#include <iostream>

namespace {

using namespace wxcourier;

constexpr int failed = 1;
constexpr int usage_error = 2;

int run_program(int argc, char** argv)
{
    CLI::App program{"wxcourier: a queue-driven worker that delivers push jobs through the WeChat API", "wxcourier"};
    int exit_code = 0;
    commands::add_check_config(program, exit_code);
    commands::add_run(program, exit_code);
    commands::add_demo(program, exit_code);
    commands::add_enqueue(program, exit_code);
    commands::add_plan(program, exit_code);
    commands::add_tail(program, exit_code);
    commands::add_replay(program, exit_code);
    commands::add_token(program, exit_code);
    commands::add_ctl(program, exit_code);
    commands::add_dashboard(program, exit_code);
    commands::add_simulator(program, exit_code);
    commands::add_version(program);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        // Help and --version are "errors" of exit code 0; CLI11 prints them to standard output, the rest to error.
        return program.exit(end) == 0 ? 0 : usage_error;
    }
    if (program.get_subcommands().empty()) {
        std::cerr << program.help();
        return usage_error;
    }
    return exit_code;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run_program(argc, argv);
    } catch (const std::exception& failure) {
        std::cerr << "wxcourier: " << failure.what() << '\n';
        return failed;
    }
}
