// SPDX-License-Identifier: Apache-2.0
/// @file
/// Open connections to every base URL, kept for the next request: a handshake costs more than a push. Bounded in
/// number, idle time, age and uses.
#pragma once

#include "wechat/client_settings.hpp"
#include "wechat/host_resolver.hpp"
#include "wechat/http_request.hpp"
#include "wechat/https_connection.hpp"
#include "wechat/socket_poller.hpp"
#include "wechat/tls_context.hpp"
#include "wechat/wait_list.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace wxcourier::wechat {

class connection_pool;

/// A connection taken from the pool; gives it back when it goes. A connection that is not clean is closed instead.
class pooled_connection {
public:
    pooled_connection() = default;
    pooled_connection(pooled_connection&& other) noexcept;
    pooled_connection& operator=(pooled_connection&& other) noexcept;
    ~pooled_connection();

    [[nodiscard]] bool empty() const noexcept { return entry_ == nullptr; }
    [[nodiscard]] https_connection* operator->() const noexcept;

private:
    friend class connection_pool;
    struct entry;
    pooled_connection(connection_pool& pool, std::unique_ptr<entry> taken);

    connection_pool* pool_ = nullptr;
    std::unique_ptr<entry> entry_;
};

/// Must outlive the coroutines that use it. Not thread-safe.
class connection_pool {
public:
    /// @throws std::invalid_argument         a base URL is malformed, or there is none.
    /// @throws boost::system::system_error   the CA file cannot be used.
    connection_pool(asio::io_context& io, const client_settings& settings, std::string_view user_agent);
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;
    ~connection_pool();

    [[nodiscard]] std::size_t hosts() const noexcept { return hosts_.size(); }
    /// The host's name and port, for log lines.
    [[nodiscard]] const std::string& authority(std::size_t host) const;
    [[nodiscard]] const request_writer& writer(std::size_t host) const;

    /// The idle connection to the host that was used last, if one is still alive; empty otherwise. Never waits.
    pooled_connection take_idle(std::size_t host);

    struct opened {
        pooled_connection connection; ///< Empty: failed.
        domain::transport_failure failure = domain::transport_failure::none;
        std::string error;
        bool host_failed = false; ///< False: it was not the host's fault.
    };

    /// Opens a connection, within `connect_timeout`. Waits, within the same time, when there are as many as may be, and
    /// while others shake hands with the host and there is no TLS session yet; takes an idle connection that comes
    /// first.
    asio::awaitable<opened> open(std::size_t host);

    /// Opens connections, one after another, until `count` are idle. Ends early when one fails.
    asio::awaitable<void> warm(std::size_t host, std::size_t count);

    /// Changes `max_connections` and `max_idle`.
    void allow(std::size_t most);

    /// Closes everything: what is under way ends as cancelled, and nothing is opened any more.
    void stop();
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    [[nodiscard]] client_counters& counters() noexcept { return counters_; }

private:
    friend class pooled_connection;
    struct host;
    class turn;
    struct reaper;
    using entry = pooled_connection::entry;

    asio::awaitable<opened> connect(pooled_connection fresh, host& to, steady_time deadline);
    bool settle(opened& result, bool woken, std::size_t host, steady_time deadline, const std::string& why);
    void give_back(std::unique_ptr<entry> returned) noexcept;
    [[nodiscard]] bool may_be_kept(const entry& candidate, steady_time now) const;
    bool evict_one_idle();
    void reap(steady_time now);
    void schedule_reaping();
    void learn(const https_connection::connect_outcome& outcome, host& at);
    static void report(host& at, const opened& result);

    socket_poller poller_;
    client_settings settings_;
    asio::ssl::context tls_;
    std::vector<std::unique_ptr<host>> hosts_;
    std::vector<entry*> busy_;
    wait_list room_;
    std::shared_ptr<reaper> reaper_;
    client_counters counters_;
    bool stopped_ = false;
};

} // namespace wxcourier::wechat
