// SPDX-License-Identifier: Apache-2.0
/// @file
/// The addresses of one host, asked for seldom enough and often enough. WeChat replaces its addresses now and then and
/// cuts the old ones off (March 2022), so nothing may be pinned; Asio resolves on one background thread, with no way to
/// stop a look-up, so there must never be more than one for a host.
#pragma once

#include "wechat/base_url.hpp"
#include "wechat/wait_list.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <vector>

namespace wxcourier::wechat {

using address_list = std::vector<asio::ip::tcp::endpoint>;

/// Looks a host's addresses up and keeps them. When a look-up fails or takes long, those of the last one are used: a
/// DNS outage does not stop what works. Not thread-safe.
class host_resolver {
public:
    /// @param interval  a kept answer older than this is asked for again.
    host_resolver(asio::io_context& io, const base_url& url, steady_duration interval);
    host_resolver(const host_resolver&) = delete;
    host_resolver& operator=(const host_resolver&) = delete;
    ~host_resolver();

    struct answer {
        address_list addresses; ///< Best first; empty: none could be had.
        std::string error;      ///< Why there is none.
    };

    /// Completes by the deadline; callers that come while a look-up runs share it. Cancelled: empty at once.
    asio::awaitable<answer> resolve(steady_time deadline);

    /// The address did not work: it is tried after the others.
    void demote(const asio::ip::tcp::endpoint& address);

    /// None of the addresses worked: the next `resolve` asks DNS again.
    void expire();

    /// Gives up the look-up that runs, if any, and wakes whoever waits for it.
    void stop();

private:
    struct state;

    std::shared_ptr<state> state_; ///< Shared with the look-up that runs, which cannot be stopped.
};

} // namespace wxcourier::wechat
