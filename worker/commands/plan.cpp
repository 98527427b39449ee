// SPDX-License-Identifier: Apache-2.0
#include "commands/plan.hpp"

#include "app/settings_mapping.hpp"
#include "codec/job_codec.hpp"
#include "commands/jobs_input.hpp"
#include "commands/loaded_settings.hpp"
#include "commands/plan_report.hpp"
#include "commands/progress_bar.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace wxcourier::commands {
namespace {

/// Lines that `--json` names; standard error names all.
constexpr std::size_t most_lines = 1000;

struct plan_options {
    std::string config;
    std::string jobs = "-";
    std::string start;
    int latency_ms = 200;
    int replicas = 1;
    bool json = false;
};

std::uint32_t call_of(const domain::push_job& job)
{
    return static_cast<std::uint32_t>(job.kind - domain::all_kinds().data());
}

/// Holds jobs against the rules and the limits, in up to two passes over the lines: the second one names the lines
/// whose messages would expire, which only the whole tells.
class planner {
public:
    planner(const config::settings& settings, const plan_options& options, wall_time start, std::string name)
        : options_(app::engine_options_of(settings, {})),
          rules_(engine::job_rules_of(options_, settings.topics.jobs.front().name)), name_(std::move(name))
    {
        plan_.start = start;
        plan_.replicas = options.replicas;
        plan_.latency = milliseconds{options.latency_ms};
        for (const auto& each : options_.apps)
            apps_.emplace_back(each, limits_of(each.limits), start);
    }

    /// @param bytes  of the lines; 0: not known.
    void read(std::istream& lines, std::uint64_t bytes)
    {
        progress_bar bar("plan", bytes);
        for_each_line(lines, bar, [this](std::uint64_t number, const std::string& line) {
            const auto decoded = codec::decode_job(line, rules_, plan_.start);
            if (const auto* const why = std::get_if<codec::rejection>(&decoded)) {
                ++plan_.rejected;
                complain({number, std::string(why->reason), why->error, 0});
                return;
            }
            const auto& good = std::get<codec::decoded_job>(decoded);
            auto& app = app_of(good);
            ++plan_.jobs;
            ++app.plan.jobs;
            for_each_message(app, good, [&](wall_time ready_at, std::optional<wall_time> expires_at) {
                app.forecast.add(call_of(good.job), good.job.priority, ready_at, expires_at);
            });
        });
    }

    /// After read(): whether some would expire.
    bool foresee()
    {
        std::uint64_t expired = 0;
        for (auto& each : apps_) {
            each.plan.forecast = each.forecast.run();
            expired += each.plan.forecast.expired;
            each.received.clear();
        }
        expires_ = expired > 0;
        return expires_;
    }

    /// After foresee(): the same lines again.
    void name_expiring(std::istream& lines, std::uint64_t bytes)
    {
        progress_bar bar("plan", bytes);
        for_each_line(lines, bar, [this](std::uint64_t number, const std::string& line) {
            const auto decoded = codec::decode_job(line, rules_, plan_.start);
            const auto* const good = std::get_if<codec::decoded_job>(&decoded);
            if (good == nullptr)
                return;
            auto& app = app_of(*good);
            std::uint64_t expired = 0;
            for_each_message(app, *good, [&](wall_time ready_at, std::optional<wall_time> expires_at) {
                expired += app.forecast.expires(call_of(good->job), good->job.priority, ready_at, expires_at) ? 1U : 0U;
            });
            if (expired > 0)
                complain(
                    {number, "expired",
                     std::to_string(expired) + (expired == 1 ? " message" : " messages") + " would not be sent in time",
                     expired});
        });
    }

    delivery_plan result()
    {
        for (auto& each : apps_)
            if (each.plan.jobs > 0)
                plan_.apps.push_back(std::move(each.plan));
        return std::move(plan_);
    }

    [[nodiscard]] bool all_well() const noexcept { return plan_.rejected == 0 && !expires_; }

private:
    struct app_state {
        app_state(const engine::app_options& app, const domain::forecast_limits& limits, wall_time start)
            : forecast(limits, start), per_recipient(app.limits.per_recipient)
        {
            plan.app = app.name;
            plan.rate_per_second = app.limits.rate_per_second;
        }

        app_plan plan;
        domain::delivery_forecast forecast;
        std::optional<domain::recipient_limit> per_recipient;
        /// Messages by recipient, for `per_recipient`; by their hashes, which is near enough and bounds the memory.
        std::unordered_map<std::size_t, std::uint32_t> received;
    };

    [[nodiscard]] domain::forecast_limits limits_of(const domain::app_limits& limits) const
    {
        domain::forecast_limits mapped;
        mapped.rate_per_second = limits.rate_per_second;
        mapped.burst = limits.burst;
        mapped.quota = limits.quota;
        if (plan_.latency.count() > 0)
            mapped.most_per_second = static_cast<double>(limits.concurrency) * plan_.replicas /
                                     std::chrono::duration<double>(plan_.latency).count();
        return mapped;
    }

    template <typename Visit>
    void for_each_line(std::istream& lines, progress_bar& bar, const Visit& visit)
    {
        std::string line;
        std::uint64_t read = 0;
        for (std::uint64_t number = 1; std::getline(lines, line); ++number) {
            read += line.size() + 1;
            if (!line.empty() && line.back() == '\r')
                line.pop_back();
            if (!line.empty())
                visit(number, line);
            bar.update(read);
        }
    }

    app_state& app_of(const codec::decoded_job& good)
    {
        return *std::find_if(apps_.begin(), apps_.end(),
                             [&good](const auto& each) { return each.plan.app == good.job.app; });
    }

    /// Calls `visit(ready_at, expires_at)` for each message of a job, whose record is taken to be written at the start.
    template <typename Visit>
    void for_each_message(app_state& app, const codec::decoded_job& good, const Visit& visit)
    {
        const auto not_before = std::max(plan_.start, good.job.not_before.value_or(plan_.start));
        auto expires_at = good.job.expire_at;
        if (options_.max_age)
            expires_at = std::min(expires_at.value_or(not_before + *options_.max_age), not_before + *options_.max_age);
        for (std::size_t i = 0; i < good.messages.size(); ++i) {
            auto ready_at = not_before;
            if (app.per_recipient) {
                auto& before = app.received[std::hash<std::string_view>{}(good.messages.touser(i))];
                ready_at += app.per_recipient->window * (before++ / app.per_recipient->max);
                plan_.per_recipient_over |= ready_at > not_before;
            }
            visit(ready_at, expires_at);
        }
    }

    void complain(bad_line line)
    {
        std::cerr << name_ << ':' << line.number << ": " << line.reason << ": " << line.error << '\n';
        if (plan_.lines.size() < most_lines)
            plan_.lines.push_back(std::move(line));
    }

    engine::engine_options options_;
    codec::job_rules rules_;
    std::string name_;
    delivery_plan plan_;
    std::vector<app_state> apps_;
    bool expires_ = false;
};

wall_time now()
{
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

int plan(const plan_options& options)
{
    const auto settings = load_settings(options.config, config::secrets::ignored);
    const auto start = options.start.empty() ? now() : parse_rfc3339(options.start);
    if (!start)
        std::cerr << "wxcourier: --start is \"" << options.start
                  << "\", expected a time such as 2026-11-24T09:00:00+08:00\n";
    if (!settings || !start)
        return 2;
    jobs_input jobs(options.jobs);
    if (!jobs.good())
        return 1;
    planner work(*settings, options, *start, jobs.name());
    work.read(jobs.lines(), jobs.bytes());
    if (work.foresee() && jobs.bytes() > 0) { // standard input and pipes cannot be read twice
        jobs.lines().clear();
        jobs.lines().seekg(0);
        work.name_expiring(jobs.lines(), jobs.bytes());
    }
    const int exit_code = work.all_well() ? 0 : 1;
    const auto result = work.result();
    std::cout << (options.json ? to_json(result) : to_text(result));
    return exit_code;
}

} // namespace

void add_plan(CLI::App& program, int& exit_code)
{
    auto* const command = program.add_subcommand(
        "plan", "Say how long jobs would take under the limits, and which would be rejected or expire; sends nothing");
    const auto options = std::make_shared<plan_options>();
    command->add_option("-c,--config", options->config, "The configuration, a YAML file")
        ->required()
        ->type_name("FILE");
    command->add_option("jobs", options->jobs, "A file of jobs; - or nothing: standard input")
        ->type_name("JOBS.ndjson");
    command->add_option("--start", options->start, "When they are enqueued, RFC 3339; now if left out")
        ->type_name("TIME");
    command->add_option("--latency", options->latency_ms, "What WeChat takes for an answer, in ms")
        ->check(CLI::Range(0, 60'000))
        ->capture_default_str();
    command->add_option("--replicas", options->replicas, "How many workers share them")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--json", options->json, "One JSON object instead of a table");
    command->callback([options, &exit_code] { exit_code = plan(*options); });
}

} // namespace wxcourier::commands
