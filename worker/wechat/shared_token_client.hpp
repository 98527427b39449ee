// SPDX-License-Identifier: Apache-2.0
/// @file
/// An app's tokens from a company's own token server (`token.source: shared`), which knows the AppSecret instead of us.
#pragma once

#include "common/secret.hpp"
#include "engine/ports.hpp"
#include "wechat/transport.hpp"

#include <string>

namespace wxcourier::wechat {

struct shared_token_settings {
    std::string url;    ///< `https://…` or `http://…`, with path and query as they are sent.
    std::string header; ///< Name of the header that carries `header_value`; empty: none.
    secret header_value;
    std::string path = "access_token"; ///< Where the token stands in the JSON reply, dots between members.
    std::string expires_path;          ///< Where its seconds left stand; empty: `expires_in` beside the token.
    client_settings client;            ///< Timeouts and the CA file; its base URL is made from `url`.
};

/// One GET an attempt. An answer without a token is worth another try, whatever it says: a company's server has reasons
/// and codes of its own. Belongs to one loop's thread.
class shared_token_client final : public engine::token_source {
public:
    /// What a token is taken to live for when the server does not say: no token of WeChat's lives longer.
    static constexpr seconds longest_life{7200};

    /// @throws as transport does.
    shared_token_client(asio::io_context& io, shared_token_settings settings);

    asio::awaitable<engine::token_reply> ask(engine::token_request request) override;

    /// Takes a header's new value; the next attempt sends it.
    void set_header_value(secret value) { settings_.header_value = std::move(value); }
    /// Closes everything: what is under way ends.
    void stop() { transport_.stop(); }

private:
    shared_token_settings settings_;
    std::string target_; ///< Path and query. May hold a key, so it is never shown.
    transport transport_;
};

} // namespace wxcourier::wechat
