// SPDX-License-Identifier: Apache-2.0
#include "commands/version.hpp"

#include "kafka/library.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/version.hpp>
#include <openssl/crypto.h>

#include <iostream>

namespace wxcourier::commands {

std::string version_text()
{
    const auto boost = std::to_string(BOOST_VERSION / 100'000) + '.' + std::to_string(BOOST_VERSION / 100 % 1000) +
                       '.' + std::to_string(BOOST_VERSION % 100);
    return std::string{"wxcourier " WXCOURIER_VERSION} + "\nlibrdkafka " + kafka::library_version() + "\nOpenSSL " +
           OpenSSL_version(OPENSSL_VERSION_STRING) + "\nBoost " + boost;
}

void add_version(CLI::App& program)
{
    program.set_version_flag("--version", &version_text, "Print the versions of wxcourier and its libraries");
    program.add_subcommand("version", "Print the versions of wxcourier and its libraries")->callback([] {
        std::cout << version_text() << '\n';
    });
}

} // namespace wxcourier::commands
