// SPDX-License-Identifier: Apache-2.0
#include "commands/token.hpp"

#include "codec/token_state_codec.hpp"
#include "commands/loaded_settings.hpp"
#include "config/network_address.hpp"
#include "wechat/transport.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

constexpr milliseconds patience{5'000};

struct token_options {
    std::string config;
    std::vector<std::string> at;
    bool json = false;
};

/// What the worker at that address says; throws with a text for the operator.
std::string ask(const std::string& address)
{
    wechat::client_settings settings;
    settings.base_urls = {"http://" + address};
    settings.connect_timeout = patience;
    settings.request_timeout = patience;
    asio::io_context io(1);
    wechat::transport transport(io, settings);
    wechat::http_request get;
    get.method = wechat::http_request::verb::get;
    get.path = "/tokens";
    std::optional<wechat::http_answer> answer;
    asio::co_spawn(io, transport.exchange(get), [&](std::exception_ptr failure, wechat::http_answer came) {
        if (failure)
            std::rethrow_exception(failure);
        answer = std::move(came);
        transport.stop();
        io.stop();
    });
    io.run();
    const auto& outcome = answer.value().outcome;
    if (outcome.reach != domain::reach::answered)
        throw std::runtime_error("no worker at " + address + ": " + outcome.error);
    if (outcome.status != 200)
        throw std::runtime_error("HTTP " + std::to_string(outcome.status) + " from " + address);
    return outcome.body;
}

std::string lasting(seconds time)
{
    const auto count = time.count();
    if (count < 120)
        return std::to_string(count) + 's';
    return count < 7200 ? std::to_string(count / 60) + 'm' : std::to_string(count / 3600) + 'h';
}

using row = std::array<std::string, 7>;

row row_of(const codec::token_state& state)
{
    std::string why = state.reason;
    if (!state.detail.empty())
        why += ": " + state.detail;
    return {state.app,
            state.source,
            state.state,
            state.generation == 0 ? "-" : lasting(state.expires_in),
            state.next_call_in ? lasting(*state.next_call_in) : "-",
            state.owner.empty() ? "-" : state.owner,
            why};
}

void print(const codec::token_states& states)
{
    std::vector<row> rows{{"APP", "SOURCE", "STATE", "EXPIRES", "NEXT CALL", "OWNER", "REASON"}};
    for (const auto& each : states.apps)
        rows.push_back(row_of(each));
    std::array<std::size_t, std::tuple_size_v<row>> widths{};
    for (const auto& each : rows)
        for (std::size_t i = 0; i < each.size(); ++i)
            widths.at(i) = std::max(widths.at(i), each.at(i).size());
    std::cout << "as " << states.worker << " sees it\n";
    for (const auto& each : rows) {
        std::string line;
        for (std::size_t i = 0; i < each.size(); ++i)
            line += each.at(i) + std::string(widths.at(i) - each.at(i).size() + 2, ' ');
        std::cout << line.erase(line.find_last_not_of(' ') + 1) << '\n';
    }
}

int show(const token_options& options)
{
    const auto settings = load_settings(options.config, config::secrets::ignored);
    if (!settings)
        return 2;
    auto addresses = options.at;
    if (addresses.empty())
        addresses.push_back(config::reachable_address(settings->http));
    int exit_code = 0;
    for (const auto& each : addresses) {
        try {
            const auto page = ask(each);
            const auto states = codec::decode_token_states(page);
            if (!states)
                throw std::runtime_error("what answers at " + each + " is no wxcourier");
            if (options.json)
                std::cout << page;
            else
                print(*states);
        } catch (const std::exception& failure) {
            std::cerr << "wxcourier: " << failure.what() << '\n';
            exit_code = 1;
        }
    }
    return exit_code;
}

} // namespace

void add_token(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand("token", "State and owner of every app's token, never the token");
    const auto options = std::make_shared<token_options>();
    command->add_option("-c,--config", options->config, "The worker's configuration; it is asked at http.listen")
        ->required()
        ->type_name("FILE");
    command->add_option("--at", options->at, "Ask the worker there instead; may be given more than once")
        ->type_name("HOST:PORT");
    command->add_flag("--json", options->json, "What the workers say, one line of JSON each");
    command->callback([options, &exit_code] { exit_code = show(*options); });
}

} // namespace wxcourier::commands
