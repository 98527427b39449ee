// SPDX-License-Identifier: Apache-2.0
#include "commands/check_config.hpp"

#include "app/configuration_file.hpp"
#include "app/settings_mapping.hpp"
#include "config/load.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace wxcourier::commands {

namespace {

struct check_config_options {
    std::string file;
    bool no_secrets = false;
};

std::string count(std::size_t number, std::string_view noun)
{
    return std::to_string(number) + ' ' + std::string{noun} + (number == 1 ? "" : "s");
}

int check_config(const check_config_options& options)
{
    const auto want = options.no_secrets ? config::secrets::ignored : config::secrets::required;
    const auto outcome = config::load_file(options.file, want, app::check_kafka_property);
    for (auto warning : outcome.warnings) {
        warning.what.insert(0, "warning: ");
        std::cerr << config::to_string(warning, options.file) << '\n';
    }
    for (const auto& error : outcome.errors)
        std::cerr << config::to_string(error, options.file) << '\n';
    if (!outcome.loaded)
        return 2;
    std::cout << options.file << ": good, " << count(outcome.loaded->apps.size(), "app")
              << (outcome.warnings.empty() ? "" : ", " + count(outcome.warnings.size(), "warning")) << '\n';
    return 0;
}

} // namespace

void add_check_config(CLI::App& program, int& exit_code)
{
    const auto options = std::make_shared<check_config_options>();
    auto* command = program.add_subcommand("check-config", "Check a configuration; exit 2 if anything is wrong");
    command->add_option("-c,--config", options->file, "The configuration, a YAML file")->required()->type_name("FILE");
    command->add_flag("--no-secrets", options->no_secrets,
                      "Don't read what is only where the worker runs: secrets and certificates");
    command->callback([options, &exit_code] { exit_code = check_config(*options); });
}

} // namespace wxcourier::commands
