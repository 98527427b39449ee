// SPDX-License-Identifier: Apache-2.0
// What every message costs once its answer is there: reading it, deciding, the status; and what a commit costs.
#include "codec/offset_metadata_codec.hpp"
#include "codec/status_codec.hpp"
#include "codec/wechat_codec.hpp"
#include "domain/classify.hpp"

#include <benchmark/benchmark.h>

namespace wxcourier::codec {
namespace {

domain::status_record sample_status()
{
    domain::status_record status;
    status.id = "order-42";
    status.app = "shop";
    status.kind = "official.template";
    status.labels = domain::label_list{{"campaign", "spring"}};
    status.touser = "oA1b2C3d4E5f6G7h8I9j0K1l2M3n";
    status.errcode = 0;
    status.errmsg = "ok";
    status.msgid = "3712345678901234567";
    status.attempts = 1;
    status.enqueued_at = wall_time{milliseconds{1'795'335'330'000}};
    status.finished_at = wall_time{milliseconds{1'795'335'330'123}};
    status.source = {"push.jobs", 3, 1234};
    status.worker = "wxcourier-7f9c";
    return status;
}

void encode_status(benchmark::State& state)
{
    const auto status = sample_status();
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(codec::encode_status(status));
}
BENCHMARK(encode_status);

void decode_status(benchmark::State& state)
{
    const auto json = codec::encode_status(sample_status());
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(codec::decode_status(json));
}
BENCHMARK(decode_status);

void read_push_answer(benchmark::State& state)
{
    constexpr std::string_view body = R"({"errcode":0,"errmsg":"ok","msgid":3712345678901234567})";
    domain::push_reply reply;
    for ([[maybe_unused]] auto _ : state) {
        codec::read_push_answer(body, reply);
        benchmark::DoNotOptimize(reply);
    }
}
BENCHMARK(read_push_answer);

void classify(benchmark::State& state)
{
    domain::push_reply reply;
    reply.reach = domain::reach::answered;
    reply.http_status = 200;
    reply.errcode = static_cast<int>(state.range(0));
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(domain::classify(reply, false));
}
BENCHMARK(classify)->Arg(0)->Arg(43101)->Arg(12345);

/// Every `distance`-th of 1,000 jobs behind the commit has finished.
domain::commit_progress scattered(std::int64_t distance)
{
    domain::commit_progress progress;
    for (std::int64_t offset = 1; offset <= 1000; offset += distance)
        progress.finished.push_back({offset, offset});
    return progress;
}

void encode_offset_metadata(benchmark::State& state)
{
    const auto progress = scattered(state.range(0));
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(codec::encode_offset_metadata(0, progress));
}
BENCHMARK(encode_offset_metadata)->Arg(2)->Arg(100);

void decode_offset_metadata(benchmark::State& state)
{
    const auto text = codec::encode_offset_metadata(0, scattered(state.range(0)));
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(codec::decode_offset_metadata(0, text));
}
BENCHMARK(decode_offset_metadata)->Arg(2)->Arg(100);

} // namespace
} // namespace wxcourier::codec
