// SPDX-License-Identifier: Apache-2.0
#include "config/fingerprint.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>

namespace wxcourier::config {

std::string fingerprint(std::string_view content)
{
    constexpr std::size_t bytes_shown = 8;
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
        return {}; // out of memory
    std::string text;
    for (std::size_t i = 0; i < bytes_shown; ++i) {
        text += digits[digest.at(i) >> 4U];
        text += digits[digest.at(i) & 0xFU];
    }
    return text;
}

} // namespace wxcourier::config
