// SPDX-License-Identifier: Apache-2.0
#include "commands/enqueue.hpp"

#include "app/real_clock.hpp"
#include "app/settings_mapping.hpp"
#include "codec/job_codec.hpp"
#include "commands/jobs_input.hpp"
#include "commands/loaded_settings.hpp"
#include "commands/progress_bar.hpp"
#include "commands/run_to_end.hpp"
#include "engine/condition.hpp"
#include "kafka/record_producer.hpp"
#include "kafka/topic_admin.hpp"

#include <boost/asio/io_context.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace wxcourier::commands {
namespace {

namespace asio = boost::asio;

/// Jobs handed to Kafka and not yet acknowledged, at most: what bounds the memory for a file of any size.
constexpr std::size_t most_pending = 10'000;
/// Kafka has taken nothing for so long: it is given up.
constexpr seconds patience{30};

struct enqueue_options {
    std::string config;
    std::string jobs = "-";
};

/// Produces lines until they end, and waits for the last acknowledgement.
class enqueuer final : public engine::publisher_listener {
public:
    enqueuer(asio::io_context& io, const config::settings& settings, std::string name, std::istream& lines,
             std::uint64_t bytes)
        : clock_(io.get_executor()), topic_(settings.topics.jobs.front().name),
          rules_(engine::job_rules_of(app::engine_options_of(settings, {}), topic_)),
          admin_(io.get_executor(), app::kafka_client_of(settings)),
          producer_(io.get_executor(), {app::kafka_client_of(settings), {topic_}}), changed_(clock_),
          name_(std::move(name)), lines_(lines), bar_("enqueue", bytes)
    {
        producer_.start(*this);
    }

    asio::awaitable<int> run()
    {
        bool reached = co_await topic_is_there();
        std::string line;
        while (reached && std::getline(lines_, line)) {
            ++number_;
            read_ += line.size() + 1;
            take(std::move(line));
            bar_.update(read_);
            if (producer_.pending() >= most_pending)
                reached = co_await wait_until_pending(most_pending / 2);
        }
        if (reached)
            reached = co_await wait_until_pending(0);
        if (!reached)
            std::cerr << name_ << ": Kafka did not acknowledge " << producer_.pending()
                      << " jobs; they may be there or not\n";
        co_await admin_.close(clock_.now() + patience);
        co_await producer_.close(clock_.now() + patience);
        std::cout << acknowledged_ << " enqueued to " << topic_ << ", " << bad_ << " bad\n";
        co_return reached&& bad_ == 0 ? 0 : 1;
    }

    void on_published(std::uint64_t ticket, engine::publish_result result) override
    {
        if (result == engine::publish_result::acknowledged)
            ++acknowledged_;
        else
            complain(ticket, "the broker refuses it for its size");
        changed_.notify();
    }

private:
    asio::awaitable<bool> topic_is_there()
    {
        const std::vector<std::string> wanted{topic_};
        const auto found = co_await admin_.find_missing(wanted, clock_.now() + patience);
        if (!found.error.empty())
            std::cerr << "wxcourier: " << found.error << '\n';
        else if (!found.missing.empty())
            std::cerr << "wxcourier: there is no topic " << topic_ << '\n';
        co_return found.error.empty() && found.missing.empty();
    }

    void take(std::string line)
    {
        if (!line.empty() && line.back() == '\r')
            line.pop_back();
        if (line.empty())
            return;
        const auto decoded = codec::decode_job(line, rules_, clock_.wall_now());
        if (const auto* const why = std::get_if<codec::rejection>(&decoded)) {
            complain(number_, std::string(why->reason) + ": " + why->error);
            return;
        }
        const auto& good = std::get<codec::decoded_job>(decoded);
        const auto key = good.messages.fanned_out() ? good.job.id : std::string(good.messages.touser(0));
        producer_.publish({topic_, key, std::move(line), {}}, number_);
    }

    void complain(std::uint64_t line, const std::string& what)
    {
        ++bad_;
        std::cerr << name_ << ':' << line << ": " << what << '\n';
    }

    /// False: Kafka has acknowledged nothing for too long.
    asio::awaitable<bool> wait_until_pending(std::size_t most)
    {
        auto deadline = clock_.now() + patience;
        auto before = producer_.pending();
        while (producer_.pending() > most && clock_.now() < deadline) {
            co_await changed_.wait_until(deadline);
            if (producer_.pending() < before)
                deadline = clock_.now() + patience;
            before = producer_.pending();
        }
        co_return producer_.pending() <= most;
    }

    app::real_clock clock_;
    std::string topic_;
    codec::job_rules rules_;
    kafka::topic_admin admin_;
    kafka::record_producer producer_;
    engine::condition changed_;
    std::string name_;
    std::istream& lines_;
    progress_bar bar_;
    std::uint64_t number_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t bad_ = 0;
};

int enqueue(const enqueue_options& options)
{
    const auto settings = load_settings(options.config, config::secrets::of_kafka);
    if (!settings)
        return 2;
    jobs_input jobs(options.jobs);
    if (!jobs.good())
        return 1;
    asio::io_context io(1);
    enqueuer work(io, *settings, jobs.name(), jobs.lines(), jobs.bytes());
    return run_to_end(io, work.run());
}

} // namespace

void add_enqueue(CLI::App& program, int& exit_code)
{
    auto* const command =
        program.add_subcommand("enqueue", "Check jobs, one JSON document a line, and produce the good ones");
    const auto options = std::make_shared<enqueue_options>();
    command->add_option("-c,--config", options->config, "The configuration, a YAML file")
        ->required()
        ->type_name("FILE");
    command->add_option("jobs", options->jobs, "A file of jobs; - or nothing: standard input")
        ->type_name("JOBS.ndjson");
    command->callback([options, &exit_code] { exit_code = enqueue(*options); });
}

} // namespace wxcourier::commands
