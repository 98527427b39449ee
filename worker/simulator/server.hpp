// SPDX-License-Identifier: Apache-2.0
/// @file
/// The simulated WeChat on a socket: what `wxcourier simulator` runs, `wxcourier demo` embeds and the tests talk to.
#pragma once

#include "simulator/settings.hpp"
#include "simulator/simulation.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace wxcourier::simulator {

struct server_options {
    settings rules;
    std::string address = "127.0.0.1";   ///< An IP address.
    std::uint16_t port = 8443;           ///< 0: a free one.
    bool plain = false;                  ///< HTTP instead of HTTPS.
    std::filesystem::path tls_directory; ///< Where `ca.pem` and `server.pem` are kept; empty: in memory only.
    std::vector<std::string> host_names; ///< More names for the certificate than usual_host_names() and `address`.
};

/// One listener on the loop of its executor, which must be a single thread's; all calls on that thread (or while it
/// does not run). Must be destroyed before the loop's context.
class server {
public:
    server(boost::asio::any_io_executor executor, server_options options);
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

    /// Binds and listens. Throws boost::system::system_error when the address cannot be had, std::runtime_error when
    /// no certificate can be made.
    void start();

    /// Closes the listener and all connections. What still runs ends on the loop's next turns; nothing is left then.
    /// start() may follow once it has: the simulation keeps all it knows.
    void stop() noexcept;

    /// `https://127.0.0.1:8443`, with the port bound. Only after start().
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const;

    /// The authority clients must trust; empty when plain. Only after start().
    [[nodiscard]] const std::string& ca_pem() const noexcept;

    /// Faults, log, statistics, settings.
    [[nodiscard]] simulation& state() noexcept;

private:
    struct shared;
    std::shared_ptr<shared> shared_;
};

} // namespace wxcourier::simulator
