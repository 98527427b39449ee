// SPDX-License-Identifier: Apache-2.0
#include "commands/demo.hpp"

#include "app/application.hpp"
#include "app/dashboard_server.hpp"
#include "app/settings_mapping.hpp"
#include "codec/status_codec.hpp"
#include "commands/progress_bar.hpp"
#include "commands/run_to_end.hpp"
#include "commands/status_line.hpp"
#include "common/log.hpp"
#include "kafka/mock_cluster.hpp"
#include "kafka/record_producer.hpp"
#include "kafka/record_reader.hpp"
#include "simulator/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <commands/article_jobs.hpp> // generated from config/examples
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <unistd.h>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

constexpr int partitions = 4;
constexpr seconds patience{60};            ///< Between two statuses, and for the start.
constexpr std::size_t most_pending = 5000; ///< Jobs ahead of their statuses: the mock cluster keeps 5 MiB a partition.

struct demo_options {
    std::uint64_t jobs = 0;
    bool stay = false;
    bool verbose = false;
};

/// A directory that goes with the process.
class scratch_directory {
public:
    scratch_directory()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "wxcourier-demo-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("no temporary directory can be made");
        path_ = pattern;
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

config::app_settings demo_app(std::string name, config::app_type type, std::string appid)
{
    config::app_settings app;
    app.name = std::move(name);
    app.type = type;
    app.appid = std::move(appid);
    app.app_secret = secret("demo-secret");
    app.rate_per_second = 5000;
    app.rate_burst = 500;
    return app;
}

config::settings demo_settings(const std::string& brokers, const std::string& base_url, const std::string& ca_file)
{
    config::settings settings;
    settings.kafka.bootstrap_servers = brokers;
    settings.wechat.base_urls = {base_url};
    settings.wechat.ca_file = ca_file;
    settings.http.port = 0;
    settings.apps = {demo_app("shop", config::app_type::official_account, "wx0123456789abcdef"),
                     demo_app("mini", config::app_type::mini_program, "wxfedcba9876543210")};
    return settings;
}

std::string generated_job(std::uint64_t number)
{
    const auto text = std::to_string(number);
    return R"({"id":"demo-)" + text + R"(","app":"shop","kind":"official.template","message":{"touser":"demo-openid-)" +
           text + R"(","template_id":"demo-template","data":{"first":{"value":"第 )" + text + R"( 条消息"}}}})";
}

/// The whole of it, on one event loop.
class demonstration final : public engine::publisher_listener {
public:
    demonstration(asio::io_context& io, demo_options options)
        : io_(io), options_(options), simulator_(io.get_executor(), simulator_options()),
          colour_(isatty(STDOUT_FILENO) == 1)
    {
        for (const auto* topic :
             {"push.jobs", "push.status", "push.dead", "push.delayed.1m", "push.delayed.10m", "push.delayed.1h"})
            cluster_.create_topic(topic, partitions);
        cluster_.create_topic("push.fleet", 1);
        simulator_.start();
        settings_ =
            demo_settings(cluster_.bootstrap_servers(), simulator_.url(), (scratch_.path() / "ca.pem").string());
        worker_ = std::make_unique<app::application>(io_, settings_, "");
        statuses_ =
            std::make_unique<kafka::record_reader>(io.get_executor(), app::kafka_client_of(settings_),
                                                   std::vector<std::string>{"push.status"}, kafka::from_beginning{});
        producer_ = std::make_unique<kafka::record_producer>(
            io.get_executor(), kafka::producer_settings{app::kafka_client_of(settings_), {"push.jobs"}});
        producer_->start(*this);
        dashboard_ =
            std::make_unique<app::dashboard_server>(io, app::kafka_client_of(settings_), settings_.topics.status,
                                                    app::dashboard_options{"127.0.0.1", 0, app::whole_history{}});
    }

    asio::awaitable<int> run()
    {
        std::cout << "Kafka      " << cluster_.bootstrap_servers() << " (librdkafka's mock cluster)\n"
                  << "WeChat     " << simulator_.url() << " (the simulator)\n"
                  << "worker     http://" << worker_->http_address() << "/readyz and /metrics\n"
                  << "dashboard  " << dashboard_->url() << "\n\n";
        asio::co_spawn(io_, dashboard_->run(), [this](std::exception_ptr failure) {
            dashboard_failed_ = failure != nullptr;
            dashboard_ended_ = true;
        });
        asio::co_spawn(io_, worker_->run(), [this](std::exception_ptr failure, int code) {
            worker_failed_ = failure != nullptr || code != 0;
            worker_ended_ = true;
        });
        const auto error = co_await statuses_->open(steady_clock::now() + patience);
        if (!error.empty())
            std::cerr << "wxcourier: " << error << '\n';
        const bool sent = error.empty() && co_await send_article() && co_await send_more();
        if (sent)
            say_what_next();
        while (options_.stay && sent && !stopped_)
            co_await statuses_->next(steady_clock::now() + milliseconds{200});
        worker_->stop();
        dashboard_->stop();
        while (!worker_ended_ || !dashboard_ended_)
            co_await statuses_->next(steady_clock::now() + milliseconds{20});
        const auto deadline = steady_clock::now() + seconds{5};
        co_await producer_->close(deadline);
        co_await statuses_->close(deadline);
        simulator_.stop();
        co_return sent && !worker_failed_ && !dashboard_failed_ ? 0 : 1;
    }

    void stop() { stopped_ = true; }

    void on_published(std::uint64_t, engine::publish_result) override {}

private:
    simulator::server_options simulator_options() const
    {
        simulator::server_options options;
        options.port = 0;
        options.tls_directory = scratch_.path();
        return options;
    }

    /// The three messages of the article wxcourier began with.
    asio::awaitable<bool> send_article()
    {
        std::set<std::string> awaited;
        std::cout << "Three jobs go to push.jobs:\n";
        for (const auto& [id, json] : article_jobs) {
            awaited.emplace(id);
            std::cout << "  " << json << '\n';
            producer_->publish({"push.jobs", std::string(id), std::string(json), {}}, 0);
        }
        std::cout << "\nTheir statuses on push.status:\n";
        bool all_sent = true;
        auto deadline = steady_clock::now() + patience;
        while (!awaited.empty() && !stopped_) {
            const auto status = co_await next_status(deadline);
            if (!status) {
                std::cerr << "no status within " << patience.count() << " s\n";
                co_return false;
            }
            std::cout << "  " << status_line(*status, colour_) << '\n' << std::flush;
            if (status->state == domain::job_state::deferred)
                continue;
            all_sent = all_sent && status->state == domain::job_state::sent;
            awaited.erase(status->id.value_or(""));
        }
        co_return all_sent && !stopped_;
    }

    asio::awaitable<bool> send_more()
    {
        if (options_.jobs == 0)
            co_return true;
        const auto began = steady_clock::now();
        std::map<std::string, std::uint64_t> by_state;
        std::uint64_t ended = 0;
        {
            progress_bar bar("demo", options_.jobs);
            for (std::uint64_t produced = 0; ended < options_.jobs && !stopped_;) {
                for (; produced < options_.jobs && produced - ended < most_pending; ++produced)
                    producer_->publish({"push.jobs", std::to_string(produced), generated_job(produced), {}}, 0);
                const auto status = co_await next_status(steady_clock::now() + patience);
                if (!status)
                    break;
                ++by_state[std::string(to_string(status->state))];
                bar.update(++ended);
            }
        }
        const auto took = std::chrono::duration<double>(steady_clock::now() - began).count();
        std::cout << "\n" << ended << " more jobs in " << took << " s:";
        for (const auto& [state, count] : by_state)
            std::cout << ' ' << count << ' ' << state;
        std::cout << '\n';
        co_return by_state["sent"] == options_.jobs;
    }

    asio::awaitable<std::optional<domain::status_record>> next_status(steady_time deadline)
    {
        while (!stopped_ && !worker_ended_ && steady_clock::now() < deadline) {
            auto record = statuses_->poll();
            if (!record)
                record = co_await statuses_->next(std::min(deadline, steady_clock::now() + milliseconds{200}));
            if (record && record->value)
                co_return codec::decode_status(*record->value);
        }
        co_return std::nullopt;
    }

    void say_what_next() const
    {
        std::cout << "\nEvery message was sent. ";
        if (options_.stay)
            std::cout << "All of it stays up until Ctrl-C; look at it in a browser,\n"
                      << "  " << dashboard_->url() << "\nor in another terminal:\n"
                      << "  curl http://" << worker_->http_address() << "/metrics\n"
                      << "  kcat -b " << cluster_.bootstrap_servers() << " -t push.status -C\n";
        else
            std::cout << "Next:\n"
                         "  wxcourier demo --jobs 10000   more of them, with a progress bar\n"
                         "  wxcourier demo --stay         keep it all up, to look at it from outside\n"
                         "  README.md                     the same on a real Kafka\n";
        std::cout << std::flush;
    }

    asio::io_context& io_;
    demo_options options_;
    scratch_directory scratch_;
    kafka::mock_cluster cluster_;
    simulator::server simulator_;
    config::settings settings_;
    std::unique_ptr<app::application> worker_;
    std::unique_ptr<kafka::record_reader> statuses_;
    std::unique_ptr<kafka::record_producer> producer_;
    std::unique_ptr<app::dashboard_server> dashboard_;
    bool colour_;
    bool stopped_ = false;
    bool worker_ended_ = false;
    bool worker_failed_ = false;
    bool dashboard_ended_ = false;
    bool dashboard_failed_ = false;
};

int demo(const demo_options& options)
{
    log::configure(options.verbose ? log::level::info : log::level::error, log::format::text);
    asio::io_context io(1);
    demonstration show(io, options);
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&show](const boost::system::error_code& error, int) {
        if (!error)
            show.stop();
    });
    return run_to_end(io, show.run());
}

} // namespace

void add_demo(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand(
        "demo",
        "Kafka, WeChat, the worker and the ops page in one process: sends the example jobs and shows their statuses");
    const auto options = std::make_shared<demo_options>();
    command->add_option("--jobs", options->jobs, "Send so many more")->check(CLI::Range(0, 1'000'000));
    command->add_flag("--stay", options->stay, "Keep it all up until Ctrl-C");
    command->add_flag("--verbose", options->verbose, "Show the worker's log");
    command->callback([options, &exit_code] { exit_code = demo(*options); });
}

} // namespace wxcourier::commands
