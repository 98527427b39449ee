// SPDX-License-Identifier: Apache-2.0
#include "engine/call_trace.hpp"

#include "codec/trace_codec.hpp"
#include "common/log.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace wxcourier::engine {
namespace {

/// Different for every request of every message by every process; a generator of its own would not do better.
std::uint64_t span_id_of(const delivery& message, wall_time now, std::string_view worker)
{
    const auto& source = message.job->source;
    std::uint64_t id = std::hash<std::string_view>{}(worker);
    for (const auto part :
         {static_cast<std::uint64_t>(source.partition), static_cast<std::uint64_t>(source.offset),
          static_cast<std::uint64_t>(message.index), static_cast<std::uint64_t>(message.history.attempts),
          static_cast<std::uint64_t>(now.time_since_epoch().count())})
    {
        id = (id ^ part) * 0x9E3779B97F4A7C15U; // splitmix64's step
        id ^= id >> 31U;
    }
    return id == 0 ? 1 : id;
}

std::string_view failure_word(domain::transport_failure failure)
{
    using domain::transport_failure;
    switch (failure) {
    case transport_failure::none:
        break;
    case transport_failure::resolve:
        return "resolve";
    case transport_failure::connect:
        return "connect";
    case transport_failure::tls:
        return "tls";
    case transport_failure::write:
        return "write";
    case transport_failure::reset:
        return "reset";
    case transport_failure::timeout:
        return "timeout";
    case transport_failure::bad_answer:
        return "bad_answer";
    case transport_failure::cancelled:
        return "cancelled";
    }
    return "refused";
}

} // namespace

void trace_call(const delivery& message, const domain::push_reply& reply, wall_time now, std::string_view worker)
{
    const auto& job = *message.job;
    const auto found = std::find_if(job.record.headers.begin(), job.record.headers.end(),
                                    [](const header& each) { return each.name == "traceparent" && each.value; });
    if (found == job.record.headers.end() || !log::enabled(log::level::info))
        return;
    const auto parent = codec::parse_traceparent(*found->value);
    if (!parent || !parent->sampled)
        return;
    const auto source = to_string(job.source);
    codec::client_span span{
        .parent = *parent,
        .id = span_id_of(message, now, worker),
        .name = "wechat_call",
        .began = now - reply.latency,
        .lasted = reply.latency,
        .service_instance = worker,
        .texts = {{"wxcourier.app", job.job.app}, {"wxcourier.kind", job.job.kind->name}, {"wxcourier.source", source}},
        .numbers = {{"wxcourier.attempt", message.history.attempts},
                    {"wxcourier.waited_ms", (now - reply.latency - job.record.enqueued_at).count()}},
        .error = std::nullopt};
    if (reply.http_status != 0)
        span.numbers.emplace_back("http.response.status_code", reply.http_status);
    if (reply.errcode)
        span.numbers.emplace_back("wechat.errcode", *reply.errcode);
    std::string error;
    if (reply.errcode != 0) {
        error = reply.errcode ? "errcode " + std::to_string(*reply.errcode) : std::string(failure_word(reply.failure));
        span.error = error;
    }
    log::span("wechat_call", codec::encode_resource_spans(span),
              {{"trace_id", parent->trace_id},
               {"span_id", codec::hex_span_id(span.id)},
               {"parent_span_id", parent->parent_id},
               {"app", job.job.app},
               {"kind", job.job.kind->name},
               {"attempt", message.history.attempts},
               {"latency_ms", static_cast<std::int64_t>(reply.latency.count())},
               {"error", error.empty() ? std::string_view("-") : std::string_view(error)}});
}

} // namespace wxcourier::engine
