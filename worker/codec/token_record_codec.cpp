// SPDX-License-Identifier: Apache-2.0
#include "codec/token_record_codec.hpp"

#include "codec/json_document.hpp"
#include "codec/utf8.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

namespace wxcourier::codec {
namespace {

constexpr int token_version = 1;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12; ///< What GCM wants (NIST SP 800-38D, 8.2).
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t longest_record = 16'384;
/// Far beyond WeChat's "at least 512 characters".
constexpr std::size_t longest_token = 8'192;

struct free_cipher {
    void operator()(EVP_CIPHER_CTX* owned) const noexcept { EVP_CIPHER_CTX_free(owned); }
};
using cipher_handle = std::unique_ptr<EVP_CIPHER_CTX, free_cipher>;

const unsigned char* bytes_of(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text)
{
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string hex(std::string_view bytes)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char each : bytes) {
        const auto byte = static_cast<unsigned char>(each);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

int digit_of(char letter) noexcept
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// Lower case only: one text for each sequence of bytes.
std::optional<std::string> read_hex(std::string_view text)
{
    if (text.size() % 2 != 0)
        return std::nullopt;
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const int high = digit_of(text[at]);
        const int low = digit_of(text[at + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

/// Everything that is known without the key, each part behind its length so that no two records have the same.
std::string bound_data(const token_place& place, const domain::shared_token& token)
{
    std::string bound;
    const auto add = [&bound](std::string_view part) {
        bound += std::to_string(part.size());
        bound += ':';
        bound += part;
    };
    add("wxcourier token");
    add(std::to_string(token_version));
    add(place.topic);
    add(place.app);
    add(place.appid);
    add(std::to_string(token.stamp.term));
    add(std::to_string(token.stamp.generation));
    add(std::to_string(token.issued_at.time_since_epoch().count()));
    add(std::to_string(token.expires_at.time_since_epoch().count()));
    add(token.worker);
    return bound;
}

/// The ciphertext and, behind it, the tag.
std::string encrypt(const secret& key, std::string_view nonce, std::string_view bound, std::string_view plain)
{
    const cipher_handle cipher(EVP_CIPHER_CTX_new());
    std::string sealed(plain.size() + tag_bytes, '\0');
    int length = 0;
    const bool done =
        cipher &&
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.reveal()), bytes_of(nonce)) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound), static_cast<int>(bound.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &length, bytes_of(plain), static_cast<int>(plain.size())) ==
            1 &&
        EVP_EncryptFinal_ex(cipher.get(), bytes_of(sealed) + length, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, bytes_of(sealed) + plain.size()) == 1;
    if (!done)
        throw std::runtime_error("OpenSSL cannot encrypt with AES-256-GCM");
    return sealed;
}

std::optional<secret> decrypt(const secret& key, std::string_view nonce, std::string_view bound, std::string sealed)
{
    const cipher_handle cipher(EVP_CIPHER_CTX_new());
    const auto size = sealed.size() - tag_bytes;
    std::string plain(size, '\0');
    int length = 0;
    const bool authentic =
        cipher &&
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.reveal()), bytes_of(nonce)) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound), static_cast<int>(bound.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), bytes_of(plain), &length, bytes_of(sealed), static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, bytes_of(sealed) + size) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), bytes_of(plain) + length, &length) == 1;
    if (!authentic) {
        OPENSSL_cleanse(plain.data(), plain.size());
        return std::nullopt;
    }
    return secret{std::move(plain)};
}

bool read_text(json_value object, std::string_view name, std::string& into)
{
    const auto value = object.find(name);
    if (!value.is(json_type::string))
        return false;
    into = value.text();
    return true;
}

bool read_time(json_value object, std::string_view name, wall_time& into)
{
    milliseconds::rep since_epoch = 0;
    if (!read_number(object, name, since_epoch) || since_epoch < 0)
        return false;
    into = wall_time{milliseconds{since_epoch}};
    return true;
}

/// A record's members, before anything is believed.
struct sealed_record {
    std::string app;
    std::string appid;
    std::string key_id;
    std::string nonce;
    std::string sealed;
    domain::shared_token token; ///< Without its text.
};

std::optional<sealed_record> read_record(std::string_view value)
{
    json_document document;
    if (document.parse(value, longest_record) || !document.root().is(json_type::object))
        return std::nullopt;
    const auto root = document.root();
    sealed_record record;
    int version = 0;
    std::string nonce;
    std::string sealed;
    auto& token = record.token;
    if (!read_number(root, "version", version) || version != token_version || !read_text(root, "app", record.app) ||
        !read_text(root, "appid", record.appid) || !read_text(root, "key_id", record.key_id) ||
        !read_number(root, "term", token.stamp.term) || !read_number(root, "generation", token.stamp.generation) ||
        !read_time(root, "issued_at", token.issued_at) || !read_time(root, "expires_at", token.expires_at) ||
        !read_text(root, "worker", token.worker) || !read_text(root, "nonce", nonce) ||
        !read_text(root, "sealed", sealed))
        return std::nullopt;
    auto nonce_read = read_hex(nonce);
    auto sealed_read = read_hex(sealed);
    if (!nonce_read || nonce_read->size() != nonce_bytes || !sealed_read || sealed_read->size() <= tag_bytes)
        return std::nullopt;
    record.nonce = std::move(*nonce_read);
    record.sealed = std::move(*sealed_read);
    return record;
}

} // namespace

std::string_view to_string(token_refusal refusal) noexcept
{
    switch (refusal) {
    case token_refusal::none:
        return "none";
    case token_refusal::malformed:
        return "malformed";
    case token_refusal::foreign:
        return "foreign";
    case token_refusal::unknown_key:
        return "unknown_key";
    case token_refusal::not_authentic:
        return "not_authentic";
    }
    return "";
}

token_seal::token_seal(secret key) : key_(std::move(key))
{
    const auto text = key_.reveal();
    if (text.size() != key_bytes)
        throw std::invalid_argument("the token key has another length than 32 bytes");
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(bytes_of(text), text.size(), digest.data());
    key_id_ = hex({reinterpret_cast<const char*>(digest.data()), 8});
}

std::string token_seal::seal(const token_place& place, const domain::shared_token& token) const
{
    if (token.text.reveal().size() > longest_token)
        throw std::invalid_argument("an access token of more than 8,192 bytes");
    std::string nonce(nonce_bytes, '\0');
    if (RAND_bytes(bytes_of(nonce), static_cast<int>(nonce.size())) != 1)
        throw std::runtime_error("OpenSSL has no random bytes");
    const auto sealed = encrypt(key_, nonce, bound_data(place, token), token.text.reveal());
    std::string json = R"({"version":)" + std::to_string(token_version) + R"(,"app":)";
    append_clean_json_string(json, place.app);
    json += R"(,"appid":)";
    append_clean_json_string(json, place.appid);
    json += R"(,"key_id":")" + key_id_ + '"';
    json += R"(,"term":)" + std::to_string(token.stamp.term);
    json += R"(,"generation":)" + std::to_string(token.stamp.generation);
    json += R"(,"issued_at":)" + std::to_string(token.issued_at.time_since_epoch().count());
    json += R"(,"expires_at":)" + std::to_string(token.expires_at.time_since_epoch().count());
    json += R"(,"worker":)";
    append_clean_json_string(json, token.worker);
    json += R"(,"nonce":")" + hex(nonce) + R"(","sealed":")" + hex(sealed) + "\"}";
    return json;
}

opened_token token_seal::open(const token_place& place, std::string_view key, std::string_view value) const
{
    auto record = read_record(value);
    if (!record)
        return {std::nullopt, token_refusal::malformed};
    if (key != place.app || record->app != place.app || record->appid != place.appid)
        return {std::nullopt, token_refusal::foreign};
    if (record->key_id != key_id_)
        return {std::nullopt, token_refusal::unknown_key};
    auto text = decrypt(key_, record->nonce, bound_data(place, record->token), std::move(record->sealed));
    if (!text)
        return {std::nullopt, token_refusal::not_authentic};
    record->token.text = std::move(*text);
    return {std::move(record->token), token_refusal::none};
}

} // namespace wxcourier::codec
