// SPDX-License-Identifier: Apache-2.0
/// @file
/// The admin listener of a worker: its calls, carried out.
#pragma once

#include "common/metrics.hpp"
#include "config/settings.hpp"
#include "engine/courier.hpp"
#include "engine/ports.hpp"
#include "ops/admin_routes.hpp"
#include "ops/http_listener.hpp"

#include <functional>
#include <string>

namespace wxcourier::app {

/// Lives on the worker's loop. What it works with outlives it.
class admin_desk {
public:
    /// Listens at once. @param settings  with `listen` set. @param drain  begins the worker's end.
    /// @throws std::runtime_error, with a text for the operator, when the address cannot be had.
    admin_desk(engine::asio::any_io_executor executor, const config::admin_settings& settings, std::string worker,
               engine::courier& courier, engine::clock& time, metrics_registry& metrics, std::function<void()> drain);

    /// Serves until stop().
    engine::asio::awaitable<void> run() { return listener_.run(); }
    void stop()
    {
        gate_.stop();
        listener_.stop();
    }
    /// The token's file has changed.
    void use_token(const secret& token) { gate_.use_token(token); }

private:
    engine::asio::awaitable<ops::http_reply> perform(ops::admin_call call);
    engine::asio::awaitable<ops::http_reply> agree(ops::admin_call call);
    ops::http_reply list();
    ops::http_reply refresh_tokens(const ops::admin_call& call);
    ops::http_reply begin_drain(const ops::admin_call& call);

    std::string worker_;
    engine::courier& courier_;
    metrics_registry& metrics_;
    std::function<void()> drain_;
    ops::admin_gate gate_;
    ops::http_listener listener_;
};

} // namespace wxcourier::app
