// SPDX-License-Identifier: Apache-2.0
/// @file
/// Requests to WeChat, whichever base URL serves them: picks the host, finds or opens a connection, makes one attempt
/// and says how far it got. What push_client and token_client share.
#pragma once

#include "common/time.hpp"
#include "domain/push_reply.hpp"
#include "wechat/client_settings.hpp"
#include "wechat/connection_pool.hpp"
#include "wechat/host_selector.hpp"
#include "wechat/http_request.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace wxcourier::wechat {

/// An attempt's end, and how long it took.
struct http_answer {
    exchange_outcome outcome;
    milliseconds latency{0}; ///< From the first byte written, or from the start of connecting if there was none.
};

/// Belongs to one loop's thread. Must outlive the coroutines that use it.
class transport {
public:
    /// @throws std::invalid_argument         a base URL is malformed, or there is none.
    /// @throws boost::system::system_error   the CA file cannot be used.
    transport(asio::io_context& io, const client_settings& settings);

    /// Makes one attempt. Completes within `connect_timeout` plus `request_timeout`; never throws for the far end's
    /// doing. A request is written a second time only if the kernel had not taken a byte of it from the first, idle
    /// connection. Cancellation (terminal): completes as cancelled; the connection is closed.
    asio::awaitable<http_answer> exchange(http_request request);

    /// Opens connections ahead until `count` to the current host are idle. Ends early when one fails.
    asio::awaitable<void> warm(std::size_t count) { return pool_.warm(selector_.current(), count); }

    /// Lets so many connections be open from now on; those above it are closed as they fall idle.
    void allow_connections(std::size_t most) { pool_.allow(most); }

    /// Closes everything: what is under way ends as cancelled, and so does whatever comes later.
    void stop() { pool_.stop(); }

    [[nodiscard]] const client_counters& counters() noexcept { return pool_.counters(); }

private:
    void learn(host_selector::choice chosen, const exchange_outcome& outcome, bool host_failed);

    client_settings settings_;
    connection_pool pool_;
    host_selector selector_;
};

} // namespace wxcourier::wechat
