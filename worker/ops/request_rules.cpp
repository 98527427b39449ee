// SPDX-License-Identifier: Apache-2.0
#include "ops/request_rules.hpp"

#include <algorithm>

namespace wxcourier::ops {

namespace beast = boost::beast;
namespace http = beast::http;

std::optional<refusal> objection_to_bytes(std::string_view head)
{
    for (std::size_t i = 0; i < head.size(); ++i) {
        const char c = head[i];
        if (c == '\n') {
            if (i == 0 || head[i - 1] != '\r')
                return refusal{400, "lines must end with CR LF\n"};
            if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t'))
                return refusal{400, "folded header lines are not taken\n"};
        } else if (c == '\r') {
            if (i + 1 < head.size() && head[i + 1] != '\n')
                return refusal{400, "lines must end with CR LF\n"};
        } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
            return refusal{400, "control characters are not taken\n"};
        }
    }
    return std::nullopt;
}

std::optional<refusal> objection_to(const http::request<http::string_body>& request)
{
    if (request.version() != 11)
        return refusal{505, "HTTP/1.1 only\n"};
    if (request.find(http::field::transfer_encoding) != request.end())
        return refusal{411, "a body needs a Content-Length; transfer codings are not taken\n"};
    if (request.count(http::field::host) != 1)
        return refusal{400, "exactly one Host is needed\n"};
    const auto length = request[http::field::content_length];
    if (request.count(http::field::content_length) > 1 || length.find_first_not_of("0123456789") != length.npos)
        return refusal{400, "one Content-Length only, a number\n"};
    if (request.count(http::field::expect) > 0 && !beast::iequals(request[http::field::expect], "100-continue"))
        return refusal{417, "only 100-continue can be expected\n"};
    if (request.target().empty() || request.target().front() != '/')
        return refusal{400, "the target must begin with a slash\n"};
    return std::nullopt;
}

} // namespace wxcourier::ops
