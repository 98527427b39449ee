// SPDX-License-Identifier: Apache-2.0
#include "codec/client_msg_id.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <stdexcept>

namespace wxcourier::codec {

namespace {

/// SHA-256 by a fetched algorithm and a context that is used again: OpenSSL 3's one-call SHA256() looks the algorithm
/// up by name each time, which cost three times as much as the hash.
std::array<unsigned char, SHA256_DIGEST_LENGTH> sha256(std::initializer_list<std::string_view> texts)
{
    struct deleter {
        void operator()(EVP_MD* algorithm) const noexcept { EVP_MD_free(algorithm); }
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    static const std::unique_ptr<EVP_MD, deleter> algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    thread_local const std::unique_ptr<EVP_MD_CTX, deleter> context{EVP_MD_CTX_new()};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    bool made = EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1;
    for (const auto text : texts)
        made = made && EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1;
    if (!made || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
        throw std::runtime_error("OpenSSL gives no SHA-256");
    return digest;
}

} // namespace

message_key client_msg_id(std::string_view app, std::string_view job_id, std::string_view touser)
{
    static constexpr std::string_view nul{"\0", 1};
    const auto digest = sha256({app, nul, job_id, nul, touser});

    static constexpr std::string_view digits = "0123456789abcdef";
    message_key key{};
    for (std::size_t i = 0; i < key.size() / 2; ++i) {
        key[2 * i] = digits[digest[i] >> 4];
        key[2 * i + 1] = digits[digest[i] & 15];
    }
    return key;
}

} // namespace wxcourier::codec
