// SPDX-License-Identifier: Apache-2.0
#include "commands/ctl.hpp"

#include "codec/json_document.hpp"
#include "commands/loaded_settings.hpp"
#include "config/network_address.hpp"
#include "config/secret_reader.hpp"
#include "wechat/transport.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
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

/// A wrong token is answered late, and a change for the group is waited for.
constexpr milliseconds patience{15'000};
constexpr std::size_t longest_answer = 16'000'000;

struct ctl_options {
    std::string config;
    std::string at;
    std::string token_file;
    std::string as;
    bool json = false;
    bool instance = false;
    std::string app;
    std::string kind;
    std::string template_id;
    bool all = false;
    std::string per_second;
    std::string burst;
    std::string concurrency;
};

struct listener {
    std::string address;
    secret token;
};

struct answer {
    int status = 0;
    std::string body;
};

/// @throws std::runtime_error with a text for the operator. Empty: a finding was printed already.
std::optional<listener> find_listener(const ctl_options& options)
{
    listener found;
    if (!options.config.empty()) {
        const auto settings = load_settings(options.config, options.token_file.empty() ? config::secrets::required
                                                                                       : config::secrets::ignored);
        if (!settings)
            return std::nullopt;
        if (!settings->admin.listen && options.at.empty())
            throw std::runtime_error(options.config + " has no admin.listen; say where with --at HOST:PORT");
        if (settings->admin.listen)
            found.address = config::reachable_address(*settings->admin.listen);
        found.token = settings->admin.token;
    }
    if (!options.at.empty())
        found.address = options.at;
    if (!options.token_file.empty()) {
        auto read = config::read_secret({config::secret_source::kind::file, options.token_file});
        if (!read.text)
            throw std::runtime_error("the token file " + options.token_file + ' ' + read.failure);
        found.token = std::move(*read.text);
    }
    if (found.address.empty() || found.token.empty())
        throw std::runtime_error("say where with -c FILE, or with --at HOST:PORT and --token-file FILE");
    return found;
}

std::string encoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
    return out;
}

/// @throws std::runtime_error with a text for the operator, where nobody answers.
answer ask(const listener& where, bool get, const std::string& path, const std::string& body, const std::string& as)
{
    wechat::client_settings settings;
    settings.base_urls = {"http://" + where.address};
    settings.connect_timeout = patience;
    settings.request_timeout = patience;
    asio::io_context io(1);
    wechat::transport transport(io, settings);
    const secret bearer("Bearer " + std::string(where.token.reveal()));
    const std::array<wechat::request_header, 2> headers{{{"Authorization", bearer.reveal()}, {"X-Operator", as}}};
    wechat::http_request request;
    request.method = get ? wechat::http_request::verb::get : wechat::http_request::verb::post;
    request.path = path;
    request.headers = headers;
    request.body = body;
    std::optional<wechat::http_answer> came;
    asio::co_spawn(io, transport.exchange(request), [&](std::exception_ptr failure, wechat::http_answer got) {
        if (failure)
            std::rethrow_exception(failure);
        came = std::move(got);
        transport.stop();
        io.stop();
    });
    io.run();
    auto& outcome = came.value().outcome;
    if (outcome.status == 0)
        throw std::runtime_error("no worker at " + where.address + ": " + outcome.error);
    return {outcome.status, std::move(outcome.body)};
}

// --------------------------------------------------------------------------------------------------------- printing

std::string text_of(codec::json_value object, std::string_view name)
{
    const auto value = object.find(name);
    return value ? std::string(value.text()) : std::string{};
}

using row = std::array<std::string, 8>;

void print_apps(codec::json_value root)
{
    std::vector<row> rows{{"APP", "STATE", "RATE NOW", "RATE", "BURST", "CONCURRENCY", "QUEUED/IN FLIGHT", "TOKEN"}};
    std::vector<std::string> notes;
    for (const auto app : root.find("apps").children()) {
        const auto rate = app.find("rate");
        const auto token = app.find("token");
        rows.push_back({text_of(app, "name"), text_of(app, "state"), text_of(rate, "now"), text_of(rate, "per_second"),
                        text_of(rate, "burst"), text_of(app, "concurrency"),
                        text_of(app, "queued") + '/' + text_of(app, "in_flight"), text_of(token, "state")});
        for (const auto pause : app.find("pauses").children())
            notes.push_back(text_of(app, "name") + ": " + text_of(pause, "what") + " paused by " +
                            text_of(pause, "by") + " since " + text_of(pause, "since") +
                            (text_of(pause, "scope") == "instance" ? ", on this worker only" : ""));
        if (const auto changed = app.find("rate_changed"); changed && changed.boolean())
            notes.push_back(text_of(app, "name") + ": limits changed, configured " +
                            text_of(app.find("configured"), "per_second") + "/s");
    }
    std::array<std::size_t, std::tuple_size_v<row>> widths{};
    for (const auto& each : rows)
        for (std::size_t i = 0; i < each.size(); ++i)
            widths.at(i) = std::max(widths.at(i), each.at(i).size());
    std::cout << "as " << text_of(root, "worker") << " sees it\n";
    for (const auto& each : rows) {
        std::string line;
        for (std::size_t i = 0; i < each.size(); ++i)
            line += each.at(i) + std::string(widths.at(i) - each.at(i).size() + 2, ' ');
        std::cout << line.erase(line.find_last_not_of(' ') + 1) << '\n';
    }
    for (const auto& each : notes)
        std::cout << each << '\n';
}

void print_receipt(codec::json_value root)
{
    const auto changed = root.find("changed");
    std::cout << text_of(root, "done") << ": " << text_of(root, "about") << " (" << text_of(root, "scope") << ')';
    if (changed && !changed.boolean())
        std::cout << ", as it was already";
    if (const auto by = text_of(root, "in_force_everywhere_by"); !by.empty())
        std::cout << ", in force everywhere by " << by;
    std::cout << '\n';
}

int show(const answer& came, bool json, bool table)
{
    codec::json_document document;
    const bool readable = !document.parse(came.body, longest_answer) && document.root().is(codec::json_type::object);
    if (came.status >= 300) {
        std::cerr << "wxcourier: HTTP " << came.status << ": "
                  << (readable ? text_of(document.root(), "error") : std::string("no wxcourier answers there")) << '\n';
        return 1;
    }
    if (json)
        std::cout << came.body;
    else if (!readable)
        throw std::runtime_error("what answers there is no wxcourier");
    else if (table)
        print_apps(document.root());
    else
        print_receipt(document.root());
    return 0;
}

int call(const ctl_options& options, bool get, std::string path, const std::string& body = {})
{
    try {
        const auto where = find_listener(options);
        if (!where)
            return 2;
        if (options.instance)
            path += "?scope=instance";
        return show(ask(*where, get, path, body, options.as), options.json, get);
    } catch (const std::exception& failure) {
        std::cerr << "wxcourier: " << failure.what() << '\n';
        return 1;
    }
}

std::string path_of(const ctl_options& options, std::string_view verb)
{
    std::string path;
    if (!options.app.empty())
        path += "/apps/" + encoded(options.app);
    if (!options.kind.empty())
        path += "/kinds/" + encoded(options.kind);
    if (!options.template_id.empty())
        path += "/templates/" + encoded(options.template_id);
    return path + '/' + std::string(verb);
}

int change_pause(const ctl_options& options, std::string_view verb)
{
    const bool named = !options.app.empty() || !options.kind.empty() || !options.template_id.empty();
    if (named == options.all || (!options.kind.empty() && !options.template_id.empty())) {
        std::cerr << "wxcourier: name an app, --kind or --template (of the app, if it is named too), or --all\n";
        return 2;
    }
    return call(options, false, path_of(options, verb));
}

int change_rate(const ctl_options& options)
{
    std::string body;
    const auto add = [&body](std::string_view name, const std::string& value) {
        if (!value.empty())
            body += (body.empty() ? "{\"" : ",\"") + std::string(name) + "\":" + (value == "reset" ? "null" : value);
    };
    add("per_second", options.per_second);
    add("burst", options.burst);
    add("concurrency", options.concurrency);
    if (body.empty()) {
        std::cerr << "wxcourier: say the new rate, --burst or --concurrency\n";
        return 2;
    }
    return call(options, false, path_of(options, "rate"), body + '}');
}

/// A number, or `reset`.
std::string check_limit(const std::string& text)
{
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text == "reset" || (!text.empty() && *end == '\0' && number > 0))
        return {};
    return "expected a number above 0, or reset";
}

} // namespace

void add_ctl(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand("ctl", "Pause, resume and steer a running group over admin.listen");
    const auto options = std::make_shared<ctl_options>();
    const char* const user = std::getenv("USER");
    options->as = user == nullptr ? "" : user;
    command->add_option("-c,--config", options->config, "The worker's configuration; it is asked at admin.listen")
        ->type_name("FILE");
    command->add_option("--at", options->at, "Ask the worker there instead")->type_name("HOST:PORT");
    command->add_option("--token-file", options->token_file, "The file with the admin token")->type_name("FILE");
    command->add_option("--as", options->as, "Who acts, for the log and the status topic; $USER unless said");
    command->add_flag("--json", options->json, "What the worker says, as it is");
    command->require_subcommand(1);
    command->fallthrough();

    auto* const apps = command->add_subcommand("apps", "What each app does, and what is paused");
    apps->callback([options, &exit_code] { exit_code = call(*options, true, "/apps"); });
    const auto add_change = [&](const char* name, const char* about) {
        auto* const change = command->add_subcommand(name, about);
        change->add_option("APP", options->app, "An app");
        change->add_option("--kind", options->kind, "Only this kind of message");
        change->add_option("--template", options->template_id, "Only this template");
        change->add_flag("--all", options->all, "Everything");
        change->add_flag("--instance", options->instance, "Only this worker, until it ends; else the group");
        change->callback([options, name = std::string(name), &exit_code] { exit_code = change_pause(*options, name); });
    };
    add_change("pause", "Have messages wait, in the whole group and through restarts");
    add_change("resume", "End a pause");
    auto* const rate = command->add_subcommand("rate", "Change an app's limits; reset gives back the configuration's");
    rate->add_option("APP", options->app, "The app")->required();
    rate->add_option("PER_SECOND", options->per_second, "Messages a second over the whole group, or reset")
        ->check(check_limit);
    rate->add_option("--burst", options->burst, "Or reset")->check(check_limit);
    rate->add_option("--concurrency", options->concurrency, "Requests in flight for each worker, or reset")
        ->check(check_limit);
    rate->add_flag("--instance", options->instance, "Only this worker, until it ends; else the group");
    rate->callback([options, &exit_code] { exit_code = change_rate(*options); });
    auto* const refresh = command->add_subcommand("refresh", "Fetch another access token");
    refresh->add_option("APP", options->app, "The app; none: all");
    refresh->add_flag("--instance", options->instance, "Only this worker; else all of them take the new token up");
    refresh->callback([options, &exit_code] { exit_code = call(*options, false, path_of(*options, "token/refresh")); });
    auto* const drain = command->add_subcommand("drain", "Have this worker finish what is in flight and end");
    drain->add_flag("--instance", options->instance, "As always");
    drain->callback([options, &exit_code] { exit_code = call(*options, false, "/drain"); });
}

} // namespace wxcourier::commands
