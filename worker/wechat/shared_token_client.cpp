// SPDX-License-Identifier: Apache-2.0
#include "wechat/shared_token_client.hpp"

#include "codec/wechat_codec.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace wxcourier::wechat {
namespace {

/// Where the path or the query begins: behind the host.
std::size_t target_begins(const std::string& url)
{
    const auto scheme = url.find("://");
    const auto host = scheme == std::string::npos ? 0 : scheme + 3;
    return std::min(url.find_first_of("/?", host), url.size());
}

std::string target_of(const std::string& url)
{
    const auto target = url.substr(target_begins(url));
    return target.starts_with('/') ? target : '/' + target;
}

client_settings client_of(const shared_token_settings& settings)
{
    client_settings client = settings.client;
    client.base_urls = {settings.url.substr(0, target_begins(settings.url))};
    client.max_connections = 1;
    client.max_idle = 1;
    return client;
}

engine::token_reply read_reply(exchange_outcome& outcome, const shared_token_settings& settings)
{
    engine::token_reply reply;
    if (outcome.reach != domain::reach::answered) {
        reply.errmsg = "token server: " + outcome.error;
    } else if (outcome.status != 200) {
        reply.errmsg = "token server: HTTP " + std::to_string(outcome.status);
    } else {
        auto read = codec::read_shared_token(outcome.body, settings.path, settings.expires_path);
        reply.token = std::move(read.token);
        reply.expires_in = read.expires_in.count() == 0 ? shared_token_client::longest_life : read.expires_in;
        if (!read.errmsg.empty())
            reply.errmsg = "token server: " + read.errmsg;
    }
    OPENSSL_cleanse(outcome.body.data(), outcome.body.size());
    return reply;
}

} // namespace

shared_token_client::shared_token_client(asio::io_context& io, shared_token_settings settings)
    : settings_(std::move(settings)), target_(target_of(settings_.url)), transport_(io, client_of(settings_))
{
}

asio::awaitable<engine::token_reply> shared_token_client::ask(engine::token_request /*request*/)
{
    const secret value = settings_.header_value; // a rotation must not touch what is being sent
    const std::array<request_header, 1> header{request_header{settings_.header, value.reveal()}};
    http_request get;
    get.method = http_request::verb::get;
    get.path = target_;
    get.headers = std::span(header).first(settings_.header.empty() ? 0 : 1);
    http_answer answer = co_await transport_.exchange(get);
    co_return read_reply(answer.outcome, settings_);
}

} // namespace wxcourier::wechat
