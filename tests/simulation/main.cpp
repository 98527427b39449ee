// SPDX-License-Identifier: Apache-2.0
// The engine and the domain in a simulated world, where a run is a number and repeats exactly.
#include "tests/simulation/world.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using wxcourier::simulation::outcome;
using wxcourier::simulation::world;

outcome run(std::uint64_t seed, double hours, bool tracing)
{
    world simulated(seed, tracing);
    const std::chrono::duration<double, std::ratio<3600>> trouble(hours);
    return simulated.run(std::chrono::duration_cast<std::chrono::nanoseconds>(trouble));
}

struct manner {
    double hours = 0.15;
    bool tracing = false;
    bool twice = false;
    bool quiet = false;
};

/// Runs one seed. A run that breaks a rule is repeated with its trace.
bool passes(std::uint64_t seed, const manner& how)
{
    const auto [hours, tracing, twice, quiet] = how;
    auto result = run(seed, hours, tracing);
    if (result.violation.empty() && twice && run(seed, hours, false).digest != result.digest)
        result.violation = "the same seed made another run";
    if (!result.violation.empty() && !tracing)
        result.trace = run(seed, hours, true).trace;
    if (tracing || !result.violation.empty())
        for (const auto& line : result.trace)
            std::printf("%s\n", line.c_str());
    if (quiet && result.violation.empty())
        return true;
    std::printf("seed %llu: %s (%zu jobs, %zu messages, %zu repeats, %d crashes, digest %016llx)\n",
                static_cast<unsigned long long>(seed), result.violation.empty() ? "ok" : result.violation.c_str(),
                result.jobs, result.messages, result.repeats, result.crashes,
                static_cast<unsigned long long>(result.digest));
    return result.violation.empty();
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"Runs the engine in a simulated world: several replicas, Kafka, WeChat, and faults of all of them."};
    std::string seeds = "1-30";
    manner how;
    app.add_option("--seed,--seeds", seeds, "One seed, or a range of them: FROM-TO")->capture_default_str();
    app.add_option("--hours", how.hours, "How long there is trouble, in simulated time")->capture_default_str();
    app.add_flag("--trace", how.tracing, "Print what happened");
    app.add_flag("--twice", how.twice, "Run each seed twice: both runs must be the same");
    app.add_flag("--quiet", how.quiet, "Tell of failures only");
    CLI11_PARSE(app, argc, argv);
    const auto dash = seeds.find('-');
    const auto first = std::stoull(seeds.substr(0, dash));
    const auto last = dash == std::string::npos ? first : std::stoull(seeds.substr(dash + 1));
    int failed = 0;
    for (auto seed = first; seed <= last; ++seed)
        failed += passes(seed, how) ? 0 : 1;
    std::printf("%d of %llu seeds broke a rule\n", failed, static_cast<unsigned long long>(last - first + 1));
    return failed == 0 ? 0 : 1;
}
