// SPDX-License-Identifier: Apache-2.0
// The rules that every message passes between its record and its commit: offset tracker, limiter, queue.
#include "domain/offset_tracker.hpp"
#include "domain/send_queue.hpp"
#include "domain/token_bucket.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

using namespace wxcourier;

/// One record begins and one finishes; `in flight` others are unfinished, and they finish out of order.
void track_offset(benchmark::State& state)
{
    const auto in_flight = state.range(0);
    domain::offset_tracker tracker(0, {});
    std::int64_t next = 0;
    for (; next < in_flight; ++next)
        static_cast<void>(tracker.begin(next));
    for ([[maybe_unused]] auto _ : state) {
        static_cast<void>(tracker.begin(next));
        // In pairs, the later one first.
        const auto oldest = next - in_flight;
        tracker.finish(oldest % 2 == 0 ? oldest + 1 : oldest - 1);
        ++next;
        benchmark::DoNotOptimize(tracker.committable());
    }
}
BENCHMARK(track_offset)->Arg(16)->Arg(256)->Arg(2000);

/// What a commit asks of the tracker, once for many messages.
void commit_progress(benchmark::State& state)
{
    domain::offset_tracker tracker(0, {});
    for (std::int64_t offset = 0; offset < state.range(0); ++offset)
        static_cast<void>(tracker.begin(offset));
    for (std::int64_t offset = 1; offset < state.range(0); offset += 2)
        tracker.finish(offset);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(tracker.progress());
}
BENCHMARK(commit_progress)->Arg(16)->Arg(256);

void take_permit(benchmark::State& state)
{
    domain::token_bucket bucket(1e6, 100);
    steady_time now{};
    for ([[maybe_unused]] auto _ : state) {
        now += std::chrono::microseconds{2};
        benchmark::DoNotOptimize(bucket.try_take(now));
    }
}
BENCHMARK(take_permit);

/// A message in line, its permit, its turn, and the permit back, among so many apps.
void schedule(benchmark::State& state)
{
    const auto apps = static_cast<domain::app_index>(state.range(0));
    domain::app_limits limits;
    limits.rate_per_second = 1e6;
    limits.burst = 1000;
    domain::send_queue queue(std::vector<domain::app_limits>(apps, limits));
    steady_time now{};
    constexpr domain::queue_item most_in_line = 4096;
    domain::queue_item item = 1;
    for ([[maybe_unused]] auto _ : state) {
        now += std::chrono::microseconds{2};
        const auto app = item++ % apps;
        const auto number = item % most_in_line;
        queue.push(number, {app, 0}, domain::priority::normal, now, std::uint64_t{item} * 0x9E3779B97F4A7C15ULL);
        queue.release(*queue.pop(now), now);
    }
}
BENCHMARK(schedule)->Arg(1)->Arg(100)->Arg(1000);

} // namespace
