// SPDX-License-Identifier: Apache-2.0
#include "app/process_seat.hpp"

#include <openssl/sha.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wxcourier::app {
namespace {

/// More replicas of one group on one machine have no seat.
constexpr int seats = 64;
constexpr std::size_t digits = 32;

/// What distinguishes this boot's network namespace from every other there is or was. Empty: not known.
std::string place()
{
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    struct stat space {};
    if (boot.empty() || stat("/proc/self/ns/net", &space) != 0)
        return {};
    return boot + '/' + std::to_string(space.st_dev) + '/' + std::to_string(space.st_ino);
}

std::string digest_of(const std::string& text)
{
    constexpr std::string_view hexadecimal = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data()); // NOLINT: OpenSSL's type
    std::string read;
    for (const auto byte : digest) {
        read += hexadecimal[byte >> 4U];
        read += hexadecimal[byte & 15U];
    }
    return read.substr(0, digits);
}

/// Binds an abstract socket, which has no file and goes with its process. Empty: somebody has that name, or none may be
/// had; `taken` tells which.
std::optional<int> bind_abstract(const std::string& name, bool& taken)
{
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) {
        taken = false;
        return std::nullopt;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path[1], name.data(), name.size()); // behind a zero: abstract
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (bind(made, reinterpret_cast<const sockaddr*>(&address), length) == 0) // NOLINT: the C API's way
        return made;
    taken = errno == EADDRINUSE;
    close(made);
    return std::nullopt;
}

} // namespace

process_seat::process_seat(std::string_view group)
{
    const auto where = place();
    if (where.empty())
        return;
    const auto digest = digest_of(where + '/' + std::string(group));
    bool taken = true;
    for (int number = 0; taken && number < seats; ++number) {
        const auto name = digest + '-' + std::to_string(number);
        if (const auto bound = bind_abstract("wxcourier/" + name, taken)) {
            socket_ = *bound;
            name_ = name;
            return;
        }
    }
}

process_seat::~process_seat()
{
    if (socket_ >= 0)
        close(socket_);
}

} // namespace wxcourier::app
