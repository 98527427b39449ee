// SPDX-License-Identifier: Apache-2.0
#include "commands/simulator.hpp"

#include "simulator/server.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::commands {

namespace {

namespace asio = boost::asio;

/// The options as they were typed.
struct typed_options {
    std::string listen = "127.0.0.1:8443";
    bool plain = false;
    std::string tls_directory;
    std::vector<std::string> host_names;
    std::vector<std::string> apps;
    std::vector<std::string> templates;
    std::string retired = "accept";
    std::string latency = "0ms";
    std::string jitter = "0ms";
    std::string token_lifetime = "7200s";
    std::string grace = "300s";
    std::uint64_t minute_quota = 0;
    std::uint64_t day_quota = 0;
    std::size_t keep = 100'000;
    std::string record = "full";
    std::string control = "on";
    std::uint64_t seed = 0;
};

std::vector<std::string> split(std::string_view text, char mark)
{
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(mark);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

milliseconds duration_of(std::string_view option, const std::string& text)
{
    const auto duration = simulator::parse_duration(text);
    if (!duration) {
        throw std::invalid_argument(std::string(option) + ": '" + text + "' is no duration such as 20ms, 5s or 10m");
    }
    return *duration;
}

simulator::declared_app app_of(const std::string& text)
{
    const auto parts = split(text, ':');
    simulator::declared_app app;
    if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || parts[1].empty()) {
        throw std::invalid_argument("--app: expected APPID:SECRET[:official_account|mini_program]");
    }
    app.appid = parts[0];
    app.app_secret = secret(parts[1]);
    if (parts.size() == 3) {
        if (parts[2] != "official_account" && parts[2] != "mini_program") {
            throw std::invalid_argument("--app " + app.appid + ": '" + parts[2] +
                                        "' is neither official_account nor mini_program");
        }
        app.type = parts[2] == "mini_program" ? domain::app_type::mini_program : domain::app_type::official_account;
    }
    return app;
}

simulator::declared_template template_of(const std::string& text)
{
    const auto colon = text.find(':');
    simulator::declared_template known{text.substr(0, colon), {}};
    if (colon != std::string::npos) {
        known.fields = split(std::string_view(text).substr(colon + 1), ',');
    }
    return known;
}

void read_address(const std::string& text, simulator::server_options& options)
{
    const auto colon = text.rfind(':');
    const char* const end = text.data() + text.size();
    const char* const digits = colon == std::string::npos ? end : text.data() + colon + 1;
    const auto [rest, error] = std::from_chars(digits, end, options.port);
    if (error != std::errc{} || rest != end) {
        throw std::invalid_argument("--listen: expected ADDRESS:PORT, such as 127.0.0.1:8443 or [::1]:0");
    }
    options.address = text.substr(0, colon);
    if (options.address.starts_with('[') && options.address.ends_with(']')) {
        options.address = options.address.substr(1, options.address.size() - 2);
    }
    if (options.address == "localhost") {
        options.address = "127.0.0.1";
    }
}

simulator::server_options options_of(const typed_options& typed)
{
    simulator::server_options options;
    read_address(typed.listen, options);
    options.plain = typed.plain;
    options.tls_directory = typed.tls_directory;
    options.host_names = typed.host_names;
    auto& rules = options.rules;
    for (const auto& app : typed.apps) {
        rules.apps.push_back(app_of(app));
    }
    for (const auto& known : typed.templates) {
        rules.templates.push_back(template_of(known));
    }
    rules.refuse_retired = typed.retired == "refuse";
    rules.latency = duration_of("--latency", typed.latency);
    rules.jitter = duration_of("--jitter", typed.jitter);
    rules.token_lifetime = std::chrono::ceil<seconds>(duration_of("--token-lifetime", typed.token_lifetime));
    rules.grace = std::chrono::floor<seconds>(duration_of("--grace", typed.grace));
    rules.minute_quota = typed.minute_quota;
    rules.day_quota = typed.day_quota;
    rules.keep = typed.keep;
    rules.record = typed.record == "counts" ? simulator::recording::counts : simulator::recording::full;
    rules.control = typed.control == "on";
    rules.seed = typed.seed;
    return options;
}

/// A directory of its own for the certificates, gone with the object.
class temporary_directory {
public:
    temporary_directory()
    {
        std::string path = (std::filesystem::temp_directory_path() / "wxcourier-simulator-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) {
            throw std::runtime_error("cannot make a temporary directory like " + path);
        }
        path_ = path;
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

void run(const typed_options& typed)
{
    auto options = options_of(typed);
    std::optional<temporary_directory> own_directory;
    if (!options.plain && options.tls_directory.empty()) {
        own_directory.emplace();
        options.tls_directory = own_directory->path();
    }
    const auto ca_path = std::filesystem::absolute(options.tls_directory / "ca.pem");
    const bool plain = options.plain;
    asio::io_context loop(1);
    // Before anybody is told that it listens: a signal must not find the default action.
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    simulator::server server(loop.get_executor(), std::move(options));
    signals.async_wait([&server](const boost::system::error_code&, int) { server.stop(); });
    server.start();
    std::cout << "listening on " << server.url() << '\n';
    if (!plain) {
        std::cout << "ca " << ca_path.string() << '\n';
    }
    std::cout << std::flush;
    loop.run();
}

int run_and_report(const typed_options& typed)
{
    try {
        run(typed);
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << "wxcourier simulator: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "wxcourier simulator: " << error.what() << '\n';
        return 1;
    }
}

void add_wechat_options(CLI::App& command, typed_options& typed)
{
    command.add_option("--app", typed.apps, "an account: APPID:SECRET[:official_account|mini_program]; none: any");
    command.add_option("--template", typed.templates, "a template that exists: ID[:FIELD,FIELD…]; none: any");
    command.add_option("--retired", typed.retired, "answer to the two retired calls")
        ->check(CLI::IsMember({"accept", "refuse"}))
        ->capture_default_str();
    command.add_option("--latency", typed.latency, "before each answer")->capture_default_str();
    command.add_option("--jitter", typed.jitter, "give or take up to this much")->capture_default_str();
    command.add_option("--token-lifetime", typed.token_lifetime, "of access tokens")->capture_default_str();
    command.add_option("--grace", typed.grace, "how long a replaced token still works")->capture_default_str();
    command.add_option("--minute-quota", typed.minute_quota, "calls per app, send call and minute; 0: any number")
        ->capture_default_str();
    command.add_option("--day-quota", typed.day_quota, "calls per app, send call and day (UTC+8); 0: any number")
        ->capture_default_str();
}

} // namespace

void add_simulator(CLI::App& program, int& exit_code)
{
    const auto typed = std::make_shared<typed_options>();
    CLI::App* const command =
        program.add_subcommand("simulator", "A WeChat API for development, demos and tests (docs/simulator.md)");
    command->add_option("--listen", typed->listen, "address and port; port 0 takes a free one")->capture_default_str();
    command->add_flag("--plain", typed->plain, "HTTP instead of HTTPS");
    command->add_option("--tls-dir", typed->tls_directory,
                        "where ca.pem and server.pem are kept; without it, a temporary directory");
    command->add_option("--name", typed->host_names, "one more host name in the certificate");
    add_wechat_options(*command, *typed);
    command->add_option("--keep", typed->keep, "most requests kept for /_simulator/received")->capture_default_str();
    command->add_option("--record", typed->record, "what is kept of requests")
        ->check(CLI::IsMember({"full", "counts"}))
        ->capture_default_str();
    command->add_option("--control", typed->control, "whether /_simulator/… is answered")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
    command->add_option("--seed", typed->seed, "of jitter, probabilities and tokens; 0: a fresh one");
    command->callback([typed, &exit_code] { exit_code = run_and_report(*typed); });
}

} // namespace wxcourier::commands
