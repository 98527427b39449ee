// SPDX-License-Identifier: Apache-2.0
/// @file
/// The quota_api port over HTTPS.
#pragma once

#include "engine/ports.hpp"
#include "wechat/transport.hpp"

namespace wxcourier::wechat {

class quota_client final : public engine::quota_api {
public:
    /// @param over  shared with other clients; must outlive this one.
    explicit quota_client(transport& over) : transport_(over) {}

    asio::awaitable<engine::quota_reply> ask(engine::quota_request request) override;

private:
    transport& transport_;
};

} // namespace wxcourier::wechat
