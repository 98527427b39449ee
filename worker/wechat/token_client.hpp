// SPDX-License-Identifier: Apache-2.0
/// @file
/// The token_api port over HTTPS: the two calls that give access tokens.
#pragma once

#include "engine/ports.hpp"
#include "wechat/transport.hpp"

namespace wxcourier::wechat {

class token_client final : public engine::token_api {
public:
    /// @param over  shared with other clients; must outlive this one.
    explicit token_client(transport& over) : transport_(over) {}

    asio::awaitable<engine::token_reply> fetch(engine::token_request request) override;

private:
    asio::awaitable<http_answer> ask_stable(engine::token_request request);
    asio::awaitable<http_answer> ask_classic(engine::token_request request);

    transport& transport_;
};

/// The body of a stable_token call.
secret stable_token_body(const engine::token_request& request);

} // namespace wxcourier::wechat
