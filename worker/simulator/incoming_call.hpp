// SPDX-License-Identifier: Apache-2.0
/// @file
/// One request as it came off a connection, and what can be said of it before anything is decided.
#pragma once

#include "simulator/endpoints.hpp"
#include "simulator/json_reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

/// How the request said how long its body is.
enum class body_framing : std::uint8_t { none, content_length, chunked };

/// An HTTP request. A connection reuses one object, so that its strings keep their memory.
struct http_request {
    std::string method;
    std::string target; ///< Path and query. Holds tokens and secrets: never logged.
    std::string body;
    body_framing framing = body_framing::none;
    bool keep_alive = true;
    bool expects_continue = false;
    bool malformed = false; ///< A framing nobody should trust: 400, and the connection ends.

    [[nodiscard]] std::string_view path() const noexcept;
    [[nodiscard]] std::string_view query() const noexcept;
};

/// The decoded value of a query parameter. Empty: not there, or empty.
std::string query_value(std::string_view query, std::string_view name);

/// What is known of a call on WeChat before it is judged. Points into the request and into the document it was parsed
/// into: good until the next one is read.
struct incoming_call {
    const http_request* request = nullptr;
    const endpoint* row = nullptr; ///< Null: no such path.
    json_value body;               ///< None: no JSON object in it.
    std::string access_token;
    std::string appid;       ///< Whose token it is, or who asks for one; empty: nobody known.
    std::string_view touser; ///< Empty: none.
    int token_errcode = 0;   ///< Of calls that need a token: 41001, 40001, 42001; 0: it works.

    [[nodiscard]] bool needs_token() const noexcept;
};

} // namespace wxcourier::simulator
