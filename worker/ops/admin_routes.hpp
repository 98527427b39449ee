// SPDX-License-Identifier: Apache-2.0
/// @file
/// The admin listener's requests: what they ask for, and whether whoever asks may.
#pragma once

#include "common/metrics.hpp"
#include "common/secret.hpp"
#include "domain/operator_state.hpp"
#include "engine/condition.hpp"
#include "engine/operator_control.hpp"
#include "engine/ports.hpp"
#include "ops/http_listener.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wxcourier::ops {

/// One admin call, understood. Whether its app exists is for whoever carries it out.
struct admin_call {
    enum class action : std::uint8_t { list, pause, resume, rate, refresh, drain };

    action what = action::list;
    domain::pause_target target; ///< Of `rate` and `refresh` the app; empty: all.
    domain::rate_patch rate;
    engine::operator_scope scope = engine::operator_scope::group;
    std::string by; ///< `alice@10.0.0.7`, or the address alone.
};

/// Reads a request; otherwise its refusal, with the status that fits.
std::variant<admin_call, http_reply> read_admin_call(const http_question& question);

/// An answer in JSON.
http_reply admin_reply(int status, std::string body);

/// Lets in who has the bearer token. The comparison takes the same time whatever is presented, digest against digest.
/// Every refusal is answered late, later the more there were, while others are served; so many wait at once at most,
/// the next are turned away with 429. Not thread-safe.
class admin_gate {
public:
    static constexpr milliseconds first_delay{250};
    static constexpr milliseconds longest_delay{5'000};
    static constexpr seconds forgotten_after{60};
    static constexpr std::size_t most_waiting = 32;

    using handler = std::function<boost::asio::awaitable<http_reply>(admin_call)>;

    /// @param perform  carries a call out; its answer is what the caller gets.
    admin_gate(secret token, handler perform, engine::clock& time, metrics_registry& metrics);

    /// What a request is answered with; for an http_listener.
    http_reply answer(const http_question& question);
    /// The token has changed.
    void use_token(const secret& token);
    /// Nobody waits any longer.
    void stop();

private:
    [[nodiscard]] bool admits(std::string_view authorization) const;
    http_reply refuse(const http_question& question);
    boost::asio::awaitable<http_reply> perform(admin_call call);
    boost::asio::awaitable<http_reply> late_refusal(milliseconds delay);

    secret digest_; ///< SHA-256 of the token.
    handler perform_;
    engine::clock& time_;
    engine::condition over_; ///< Nobody has to wait any longer.
    metric_family& requests_;
    std::size_t failures_ = 0;
    std::size_t waiting_ = 0;
    steady_time last_failure_{};
    bool stopping_ = false;
};

} // namespace wxcourier::ops
