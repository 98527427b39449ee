// SPDX-License-Identifier: Apache-2.0
/// @file
/// The push_api port over HTTPS.
#pragma once

#include "engine/ports.hpp"
#include "wechat/transport.hpp"

namespace wxcourier::wechat {

class push_client final : public engine::push_api {
public:
    /// @param over  shared with other clients; must outlive this one.
    explicit push_client(transport& over) : transport_(over) {}

    asio::awaitable<domain::push_reply> send(engine::push_request request) override;

private:
    transport& transport_;
};

/// What a finished attempt says about the message. Pure but for `now`, which an HTTP date in Retry-After is set
/// against.
domain::push_reply read_push_reply(const http_answer& answer, wall_time now);

} // namespace wxcourier::wechat
