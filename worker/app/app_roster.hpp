// SPDX-License-Identifier: Apache-2.0
/// @file
/// The configured apps and what each of them has outside of the engine: its token server and the watch of its secret.
#pragma once

#include "app/secret_watch.hpp"
#include "config/difference.hpp"
#include "config/settings.hpp"
#include "engine/courier.hpp"
#include "wechat/shared_token_client.hpp"

#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::app {

/// Joins them to the engine at start, and carries a changed configuration out on them. Lives on the loop.
class app_roster {
public:
    /// @param in_force  its apps are those that the courier was made with. A secret that is rotated is noted in it. All
    /// references outlive this object.
    /// @throws what shared_token_client does: a token server's CA file cannot be used.
    app_roster(engine::asio::io_context& io, engine::courier& courier, secret_watch& secrets,
               config::settings& in_force);

    /// Has the courier follow, whole or not at all. What it gives back are reasons why it cannot; nothing has changed
    /// then. `in_force` is the caller's to change afterwards.
    std::vector<std::string> follow(const config::difference& found, const config::settings& wanted);

    /// Closes the token servers' connections: what is under way ends.
    void stop();

private:
    struct outside {
        std::unique_ptr<wechat::shared_token_client> server; ///< Null: its tokens come from elsewhere.
        secret_watch::entry watch = 0;
    };
    using server_map = std::map<std::string, std::unique_ptr<wechat::shared_token_client>>;

    std::vector<std::string> make_servers(const config::difference& found, const config::settings& wanted,
                                          server_map& into);
    void watch_secret(domain::app_index app, const config::app_settings& of);
    void add(const config::app_settings& app, server_map& servers);
    void remove(const std::string& name);
    void change(const config::app_difference& difference, const config::app_settings& app, server_map& servers);

    engine::asio::io_context& io_;
    engine::courier& courier_;
    secret_watch& secrets_;
    config::settings& in_force_;
    const bool shares_tokens_; ///< There was a `token_key` at the start, so the token topic is followed.
    std::map<domain::app_index, outside> outside_;
    std::vector<std::unique_ptr<wechat::shared_token_client>> replaced_; ///< The engine may still ask them.
};

} // namespace wxcourier::app
