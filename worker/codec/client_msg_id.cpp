// SPDX-License-Identifier: Apache-2.0
#include "codec/client_msg_id.hpp"

#include <openssl/sha.h>

#include <array>

namespace wxcourier::codec {

std::string client_msg_id(std::string_view app, std::string_view job_id, std::string_view touser)
{
    std::string named;
    named.reserve(app.size() + job_id.size() + touser.size() + 2);
    named.append(app).append(1, '\0').append(job_id).append(1, '\0').append(touser);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(named.data()), named.size(), digest.data());

    static constexpr std::string_view digits = "0123456789abcdef";
    std::string key(32, '\0');
    for (std::size_t i = 0; i < key.size() / 2; ++i) {
        key[2 * i] = digits[digest[i] >> 4];
        key[2 * i + 1] = digits[digest[i] & 15];
    }
    return key;
}

} // namespace wxcourier::codec
