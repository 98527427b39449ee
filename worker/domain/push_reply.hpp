// SPDX-License-Identifier: Apache-2.0
/// @file
/// What came of one request to WeChat, before anything is decided about it.
#pragma once

#include "common/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wxcourier::domain {

/// How far an attempt got: what decides whether a repeat can harm.
enum class reach : std::uint8_t {
    not_sent, ///< WeChat cannot have the request: resolve, connect, TLS, or nothing was written.
    unknown,  ///< The request was written, wholly or in part, and no complete, readable answer came.
    answered, ///< A complete answer came: HTTP 200 with JSON that has an errcode, or another HTTP status.
};

/// What went wrong on the way, for metrics and log lines; `none` with `reach::answered`.
enum class transport_failure : std::uint8_t {
    none,
    resolve,
    connect,
    tls,
    write,
    reset, ///< Closed or reset before the answer was complete.
    timeout,
    bad_answer, ///< HTTP 200 whose body is no JSON object, is cut short, or has no errcode.
    cancelled,  ///< We stopped it ourselves.
};

struct push_reply {
    domain::reach reach = reach::not_sent;
    transport_failure failure = transport_failure::none;
    int http_status = 0;        ///< 0: no answer.
    std::optional<int> errcode; ///< Set when the answer was WeChat's JSON; absent in it counts as unreadable.
    std::string errmsg;         ///< WeChat's text with its `rid`, or what the transport said; never a query string.
    std::string msgid;          ///< Digits as WeChat wrote them; empty: none.
    std::string rid;            ///< WeChat's request id, cut out of `errmsg`; empty: none.
    std::optional<seconds> retry_after; ///< Of HTTP 429 or 503.
    milliseconds latency{0};            ///< From the first byte written (or the start of connecting) to the end.
};

} // namespace wxcourier::domain
