// SPDX-License-Identifier: Apache-2.0
/// @file
/// A certificate authority for one server: clients are told to trust it, so that they verify the simulator as they
/// verify WeChat, names included.
#pragma once

#include "common/secret.hpp"
#include "common/time.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace wxcourier::simulator {

/// What a TLS server needs, in PEM. The authority's own key is not kept: it signs once.
struct server_identity {
    std::string ca_certificate;
    std::string certificate;
    secret private_key;
};

/// Host names every certificate of the simulator is valid for: this machine, and WeChat's API hosts, so that an SDK
/// with a fixed host can be led here by name.
std::vector<std::string> usual_host_names();

/// Makes an authority (EC P-256) and a certificate signed by it for `host_names` (IP addresses too), both valid from a
/// day before `now` for 397 days. Throws std::runtime_error when OpenSSL fails.
server_identity make_server_identity(const std::vector<std::string>& host_names, wall_time now);

/// The identity kept in a directory: `ca.pem` for clients, `server.pem` (certificate and key, mode 0600) for the
/// simulator. Makes the directory and a new identity when it holds none, or one that cannot be read, ends within a
/// day, or lacks one of the names. Throws std::runtime_error or std::filesystem::filesystem_error.
server_identity load_or_make_identity(const std::filesystem::path& directory,
                                      const std::vector<std::string>& host_names, wall_time now);

} // namespace wxcourier::simulator
