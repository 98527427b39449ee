// SPDX-License-Identifier: Apache-2.0
#include "wechat/transport.hpp"

#include "common/log.hpp"
#include "common/moment.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace wxcourier::wechat {

using domain::reach;
using domain::transport_failure;

namespace {

exchange_outcome not_sent(transport_failure failure, std::string why)
{
    exchange_outcome outcome;
    outcome.failure = failure;
    outcome.error = std::move(why);
    return outcome;
}

exchange_outcome cancelled(bool bytes_written)
{
    exchange_outcome outcome = not_sent(transport_failure::cancelled, "cancelled");
    outcome.reach = bytes_written ? reach::unknown : reach::not_sent;
    return outcome;
}

/// An idle connection turned out dead before the kernel took a byte: a fresh one may have the request.
bool died_untouched(const exchange_outcome& outcome)
{
    return outcome.reach == reach::not_sent && outcome.failure == transport_failure::write;
}

} // namespace

transport::transport(asio::io_context& io, const client_settings& settings)
    : settings_(settings), pool_(io, settings, "wxcourier/" WXCOURIER_VERSION),
      selector_(pool_.hosts(), settings.failures_to_move, settings.probe_interval)
{
}

asio::awaitable<http_answer> transport::exchange(http_request request)
{
    http_answer answer;
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
        answer.outcome = cancelled(false);
        co_return answer;
    }
    steady_time began = moment::steady_now();
    const host_selector::choice chosen = selector_.pick(began);
    pooled_connection connection = pool_.take_idle(chosen.host);
    bool reused = !connection.empty();
    bool writing = false;
    bool host_failed = false;
    try {
        for (;;) {
            if (!reused) {
                connection_pool::opened opened = co_await pool_.open(chosen.host);
                connection = std::move(opened.connection);
                host_failed = opened.host_failed;
                if (connection.empty()) {
                    answer.outcome = not_sent(opened.failure, std::move(opened.error));
                    break;
                }
            }
            if (request.gate != nullptr && !request.gate->opens()) {
                const bool opened = co_await request.gate->opened();
                if (!opened) {
                    answer.outcome = cancelled(false);
                    break;
                }
            }
            pool_.writer(chosen.host).write(request, connection->request());
            began = moment::steady_now();
            writing = true;
            answer.outcome = co_await connection->exchange(began + settings_.request_timeout);
            if (!reused || !died_untouched(answer.outcome)) {
                break;
            }
            reused = false;
            writing = false;
        }
    } catch (const boost::system::system_error& error) {
        // A coroutine that was cancelled between two waits is told so by the next one.
        if (error.code() != asio::error::operation_aborted) {
            throw;
        }
        answer.outcome = cancelled(writing && connection->request_bytes_written());
    }
    const bool ended_by_us = pool_.stopped() || cancellation.cancelled() != asio::cancellation_type::none;
    if (ended_by_us && answer.outcome.reach != reach::answered) {
        answer.outcome.failure = transport_failure::cancelled;
    }
    learn(chosen, answer.outcome, host_failed);
    answer.latency = std::chrono::duration_cast<milliseconds>(moment::steady_now() - began);
    co_return answer;
}

void transport::learn(host_selector::choice chosen, const exchange_outcome& outcome, bool host_failed)
{
    bool moved = false;
    if (outcome.reach == reach::answered) {
        moved = selector_.answered(chosen);
    } else if (host_failed && outcome.failure != transport_failure::cancelled) {
        moved = selector_.unreachable(chosen, moment::steady_now());
    }
    if (!moved) {
        return;
    }
    ++pool_.counters().hosts_changed;
    const std::string& now = pool_.authority(selector_.current());
    if (outcome.reach == reach::answered) {
        log::info("wechat", "back to the first base URL", {{"host", now}});
    } else {
        log::warn("wechat", "to the next base URL", {{"host", now}, {"why", outcome.error}});
    }
}

} // namespace wxcourier::wechat
