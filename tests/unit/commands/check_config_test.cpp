// SPDX-License-Identifier: Apache-2.0
#include "commands/check_config.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace wxcourier::commands {
namespace {

struct ran {
    int exit_code;
    std::string out;
    std::string err;
};

ran run(std::vector<std::string> arguments)
{
    CLI::App program{"", "wxcourier"};
    int exit_code = 0;
    add_check_config(program, exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
        std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them last first
        program.parse(arguments);
    } catch (const CLI::ParseError& refused) {
        exit_code = refused.get_exit_code();
    }
    std::cout.flush();
    std::cerr.flush();
    return {exit_code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

std::string write_file(const std::string& name, const std::string& text)
{
    auto path = testing::TempDir() + name;
    std::ofstream{path} << text;
    return path;
}

TEST(CheckConfig, SaysInOneLineThatAllIsWell)
{
    const std::string file = WXCOURIER_SOURCE_DIR "/config/wxcourier.yaml";
    const auto result = run({"check-config", "-c", file, "--no-secrets"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, file + ": good, 1 app\n");
    EXPECT_EQ(result.err, "");
}

TEST(CheckConfig, NamesWarningsAndIsStillFine)
{
    const auto file =
        write_file("warned.yaml", "kafka: {bootstrap_servers: b}\n"
                                  "apps: [{name: a, type: mini_program, appid: a, secret: {value: s}}]\n");
    const auto result = run({"check-config", "--config", file});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, file + ": good, 1 app, 2 warnings\n");
    EXPECT_EQ(result.err,
              file + ":2:45: warning: apps[0].appid is \"a\", expected wx and 16 hexadecimal digits\n" + file +
                  ":2:56: warning: apps[0].secret holds the secret itself, expected {env: NAME} or {file: PATH}\n");
}

TEST(CheckConfig, NamesEveryErrorAndEndsWithTwo)
{
    const auto file = write_file("wrong.yaml", "kafka: {bootstrap_servers: b, gruop_id: g}\n"
                                               "apps: []\n");
    const auto result = run({"check-config", "-c", file});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, file + ":1:31: unknown key \"gruop_id\" in kafka, did you mean \"group_id\"?\n" + file +
                              ":2:7: apps is an empty list, expected at least one app\n");
}

TEST(CheckConfig, AsksLibrdkafkaAboutItsProperties)
{
    const auto file = write_file(
        "properties.yaml", "kafka:\n"
                           "  bootstrap_servers: b\n"
                           "  properties:\n"
                           "    sesion.timeout.ms: 10000\n"
                           "    session.timeout.ms: soon\n"
                           "    linger.ms: 5\n"
                           "    message.timeout.ms: {env: WXCOURIER_TEST_UNSET}\n"
                           "apps: [{name: a, type: mini_program, appid: wx0123456789abcdef, secret: {env: X}}]\n");
    const auto result = run({"check-config", "-c", file, "--no-secrets"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err,
              file + ":4:5: unknown property \"sesion.timeout.ms\", expected one of librdkafka's\n" + file +
                  ":5:25: kafka.properties.session.timeout.ms has a value that librdkafka refuses, expected one its "
                  "CONFIGURATION.md allows\n");
}

TEST(CheckConfig, EndsWithTwoWhenThereIsNoFile)
{
    const auto result = run({"check-config", "-c", "/nonexistent/x.yaml"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "/nonexistent/x.yaml:1:1: the file cannot be read: No such file or directory, expected a "
                          "configuration\n");
}

TEST(CheckConfig, NeedsAFile)
{
    EXPECT_NE(run({"check-config"}).exit_code, 0);
}

} // namespace
} // namespace wxcourier::commands
