// SPDX-License-Identifier: Apache-2.0
#include "wechat/token_client.hpp"

#include "codec/wechat_codec.hpp"

#include <openssl/crypto.h>

#include <array>

namespace wxcourier::wechat {
namespace {

/// The member of that name hides the type.
using token_call = decltype(engine::token_request::call);

void append_json_string(std::string& out, std::string_view text)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            out += '\\';
            out += letter;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 0xfU];
        } else {
            out += letter;
        }
    }
    out += '"';
}

engine::token_reply read_token_reply(http_answer answer)
{
    exchange_outcome& outcome = answer.outcome;
    engine::token_reply reply;
    if (outcome.reach != domain::reach::answered) {
        reply.errmsg = outcome.error;
    } else if (outcome.status != 200) {
        reply.errmsg = "HTTP " + std::to_string(outcome.status);
    } else {
        codec::token_answer read = codec::read_token_answer(outcome.body);
        reply.token = std::move(read.token);
        reply.expires_in = read.expires_in;
        reply.errcode = read.errcode;
        reply.errmsg = std::move(read.errmsg);
        if (reply.token.empty() && !reply.errcode && reply.errmsg.empty()) {
            reply.errmsg = "the answer holds neither a token nor an errcode";
        }
    }
    OPENSSL_cleanse(outcome.body.data(), outcome.body.size());
    return reply;
}

} // namespace

secret stable_token_body(const engine::token_request& request)
{
    std::string body;
    // Enough for the longest there is, so that growing leaves no copy of the secret behind.
    body.reserve(128 + 6 * (request.appid.size() + request.app_secret.size()));
    body += R"({"grant_type":"client_credential","appid":)";
    append_json_string(body, request.appid);
    body += R"(,"secret":)";
    append_json_string(body, request.app_secret);
    body += R"(,"force_refresh":)";
    body += request.call == token_call::stable_forced ? "true}" : "false}";
    return secret(std::move(body));
}

asio::awaitable<engine::token_reply> token_client::fetch(engine::token_request request)
{
    const bool classic = request.call == token_call::classic;
    asio::awaitable<http_answer> call = classic ? ask_classic(request) : ask_stable(request);
    http_answer answer = co_await std::move(call);
    co_return read_token_reply(std::move(answer));
}

asio::awaitable<http_answer> token_client::ask_stable(engine::token_request request)
{
    const secret body = stable_token_body(request);
    http_request post;
    post.path = "/cgi-bin/stable_token";
    post.body = body.reveal();
    http_answer answer = co_await transport_.exchange(post);
    co_return answer;
}

asio::awaitable<http_answer> token_client::ask_classic(engine::token_request request)
{
    const std::array<query_parameter, 3> query{query_parameter{"grant_type", "client_credential"},
                                               query_parameter{"appid", request.appid},
                                               query_parameter{"secret", request.app_secret}};
    http_request get;
    get.method = http_request::verb::get;
    get.path = "/cgi-bin/token";
    get.query = query;
    http_answer answer = co_await transport_.exchange(get);
    co_return answer;
}

} // namespace wxcourier::wechat
