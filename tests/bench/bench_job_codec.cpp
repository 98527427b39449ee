// SPDX-License-Identifier: Apache-2.0
// From a record's bytes to the body that is posted: paid once for every message.
#include "codec/job_codec.hpp"
#include "codec/json_document.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

namespace {

using namespace wxcourier;

/// A template message as producers send it.
const std::string& typical_job()
{
    static const std::string job =
        R"({"id":"order-20261122-000183","app":"shop","kind":"official.template","message":{)"
        R"("touser":"o_rbq1TOgERuflYd7PsiE9H565Oo","template_id":"n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",)"
        R"("url":"http://www.baidu.com","miniprogram":{"appid":"wx2210554e092c3f99","pagepath":"pages/index/index"},)"
        R"("data":{"remark":{"value":"不积跬步无以至千里，加油！"},"keyword3":{"value":"2019-06-09"},)"
        R"("first":{"value":"石头同学，提醒您背单词啦"},"keyword1":{"value":"巅峰单词800个背诵"},)"
        R"("keyword2":{"value":"今日背诵单词任务未完成"}}},"expire_at":"2026-11-23T00:00:00Z",)"
        R"("labels":{"campaign":"words","batch":"2026-47"}})";
    return job;
}

std::string job_with_recipients(std::size_t count)
{
    std::string list;
    for (std::size_t index = 0; index < count; ++index) {
        list += (index == 0 ? R"({"touser":"o_rbq1TOgERuflYd7PsiE)" : R"(,{"touser":"o_rbq1TOgERuflYd7PsiE)") +
                std::to_string(1'000'000 + index) + R"(","data":{"keyword3":{"value":"2019-06-09"}}})";
    }
    return R"({"id":"campaign","app":"shop","kind":"official.template","message":{)"
           R"("template_id":"n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",)"
           R"("data":{"first":{"value":"石头同学，提醒您背单词啦"},"remark":{"value":"不积跬步无以至千里，加油！"}}},)"
           R"("recipients":[)" +
           list + "]}";
}

codec::job_rules rules()
{
    return {{{"mini", domain::app_type::mini_program}, {"shop", domain::app_type::official_account}},
            {},
            std::chrono::hours{24 * 7}};
}

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

codec::decoded_job decode(const std::string& job, const codec::job_rules& held_against)
{
    auto result = codec::decode_job(job, held_against, now);
    if (!std::holds_alternative<codec::decoded_job>(result))
        std::abort();
    return std::get<codec::decoded_job>(std::move(result));
}

void decode_job(benchmark::State& state)
{
    const auto held_against = rules();
    for ([[maybe_unused]] auto _ : state) {
        auto decoded = decode(typical_job(), held_against);
        benchmark::DoNotOptimize(decoded);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(typical_job().size()));
}
BENCHMARK(decode_job);

void parse_job(benchmark::State& state)
{
    codec::json_document document;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(document.parse(typical_job(), codec::longest_job));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(typical_job().size()));
}
BENCHMARK(parse_job);

void write_job(benchmark::State& state)
{
    codec::json_document document;
    (void)document.parse(typical_job(), codec::longest_job);
    for ([[maybe_unused]] auto _ : state) {
        std::string out;
        out.reserve(typical_job().size());
        codec::append_json(out, document.root());
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(write_job);

void decode_recipients(benchmark::State& state)
{
    const auto held_against = rules();
    const auto job = job_with_recipients(static_cast<std::size_t>(state.range(0)));
    for ([[maybe_unused]] auto _ : state) {
        auto decoded = decode(job, held_against);
        benchmark::DoNotOptimize(decoded);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_recipients)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void make_body(benchmark::State& state)
{
    const auto decoded = decode(job_with_recipients(10'000), rules());
    std::size_t index = 0;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(decoded.messages.body(index++ % 10'000));
}
BENCHMARK(make_body);

} // namespace
