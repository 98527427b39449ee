// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the WeChat client is told, and what it counts: plain values, so that neither config nor metrics is known here.
#pragma once

#include "common/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wxcourier::wechat {

struct client_settings {
    std::vector<std::string> base_urls{"https://api.weixin.qq.com"}; ///< In order of preference; at least one.
    std::string ca_file;                   ///< PEM file of trusted authorities; empty: the system's trust store.
    milliseconds connect_timeout{3'000};   ///< Resolve, connect and TLS handshake together.
    milliseconds request_timeout{10'000};  ///< From the first byte written to the end of the answer.
    milliseconds idle_timeout{30'000};     ///< Below what servers allow, so that they seldom close first.
    milliseconds max_age{600'000};         ///< After it a connection is not used again: a DNS change drains the old.
    std::size_t max_idle = 256;            ///< Idle connections for each base URL.
    std::size_t max_connections = 1'024;   ///< All of them; a request beyond waits, for `connect_timeout` at most.
    std::uint64_t max_uses = 10'000;       ///< Requests on one connection.
    milliseconds resolve_interval{60'000}; ///< DNS is asked again when its last answer is older.
    milliseconds address_timeout{1'500};   ///< For one address of several.
    milliseconds probe_interval{30'000};   ///< How often the first base URL is tried while another one is in use.
    unsigned failures_to_move = 3;         ///< Failed connections in a row after which the next base URL is used.
};

/// What the client has done since it was made; read by whoever shows metrics, on the loop's thread.
struct client_counters {
    std::size_t idle = 0; ///< Connections waiting for a request, now.
    std::size_t busy = 0; ///< Connections being opened or used, now.
    std::uint64_t opened = 0;
    std::uint64_t resolve_failed = 0;
    std::uint64_t connect_failed = 0;
    std::uint64_t tls_failed = 0;
    std::uint64_t reused = 0;        ///< Requests that found an idle connection.
    std::uint64_t found_dead = 0;    ///< Idle connections that the far end had closed.
    std::uint64_t hosts_changed = 0; ///< Moves from one base URL to another, either way.
};

} // namespace wxcourier::wechat
