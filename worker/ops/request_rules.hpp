// SPDX-License-Identifier: Apache-2.0
/// @file
/// What makes a request ambiguous: an intermediary could have read it in another way than Beast's parser does, and sent
/// somebody else's request behind it. Such a request is refused, and its connection closed.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::ops {

/// An answer to a request that is not handled: the status, and why, for people.
struct refusal {
    int status = 400;
    std::string why;
};

/// @param head  the bytes of the request line and the header fields, their last empty line included: what the parser
///              no longer shows, such as folded lines, is looked for here.
std::optional<refusal> objection_to_bytes(std::string_view head);

/// @param request  as parsed: the head only.
std::optional<refusal> objection_to(const boost::beast::http::request<boost::beast::http::string_body>& request);

} // namespace wxcourier::ops
