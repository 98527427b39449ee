// SPDX-License-Identifier: Apache-2.0
/// @file
/// One HTTP request to WeChat and its bytes on the wire. WeChat wants a Content-Length (a chunked body gets HTTP 412)
/// and the access token in the query: so a head holds a secret and must never be logged.
#pragma once

#include "engine/ports.hpp"
#include "wechat/base_url.hpp"

#include <span>
#include <string>
#include <string_view>

namespace wxcourier::wechat {

struct query_parameter {
    std::string_view name;  ///< As it stands in the URL.
    std::string_view value; ///< Unencoded.
};

struct request_header {
    std::string_view name;
    std::string_view value; ///< Printable ASCII: nothing is escaped.
};

/// A request; all that it points to must live until its exchange completes.
struct http_request {
    enum class verb : std::uint8_t { get, post } method = verb::post;
    std::string_view path; ///< Below the base URL; may end with a query of its own.
    std::span<const query_parameter> query;
    std::span<const request_header> headers; ///< Beside those that every request has.
    codec::body_text body;                   ///< JSON; of a POST only.
    engine::write_gate* gate = nullptr;      ///< Asked before each time it is written; null: it may always be.
};

/// The bytes that every request to one base URL shares, made once.
class request_writer {
public:
    request_writer(const base_url& url, std::string_view user_agent);

    /// Replaces `out` by the whole request, head and body. Its capacity is kept, so a reused buffer is not allocated
    /// anew.
    void write(const http_request& request, std::string& out) const;

private:
    std::string post_;        ///< `POST /prefix`
    std::string get_;         ///< `GET /prefix`
    std::string headers_;     ///< From ` HTTP/1.1` to the end of a GET's last header line.
    std::string json_length_; ///< What a POST adds, up to the length itself.
};

/// Appends `text` with everything but RFC 3986's unreserved characters percent-encoded.
void append_percent_encoded(std::string& out, std::string_view text);

} // namespace wxcourier::wechat
