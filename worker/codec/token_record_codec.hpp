// SPDX-License-Identifier: Apache-2.0
/// @file
/// Records of the token topic (`topics.tokens`): an access token sealed with AES-256-GCM, and all that may be known
/// about it in the clear. Whatever stands outside of the seal is bound to it: a record that was changed, moved to
/// another topic or app, or sealed with another key does not open.
#pragma once

#include "common/secret.hpp"
#include "domain/shared_token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// What a token record belongs to.
struct token_place {
    std::string topic;
    std::string app; ///< Its name, the record's key.
    std::string appid;
};

/// Why a record was not opened. Nothing of it may be used then.
enum class token_refusal : std::uint8_t {
    none,
    malformed,     ///< Not a token record, or one of a version that this release does not know.
    foreign,       ///< Of another app: key, name or AppID differ.
    unknown_key,   ///< Sealed with another token_key.
    not_authentic, ///< The seal does not fit: damaged, changed or moved.
};
std::string_view to_string(token_refusal refusal) noexcept;

struct opened_token {
    std::optional<domain::shared_token> token;
    token_refusal refusal = token_refusal::none;
};

/// Seals and opens with one key. Not thread-safe.
class token_seal {
public:
    /// @param key  32 bytes. @throws std::invalid_argument for another length.
    explicit token_seal(secret key);

    /// The record's value. @throws std::runtime_error when OpenSSL has no random bytes.
    [[nodiscard]] std::string seal(const token_place& place, const domain::shared_token& token) const;
    /// @param key    the record's.
    /// @param value  from anywhere: never throws for what it holds.
    [[nodiscard]] opened_token open(const token_place& place, std::string_view key, std::string_view value) const;

    /// First 8 bytes of the key's SHA-256, in hex.
    [[nodiscard]] const std::string& key_id() const noexcept { return key_id_; }

private:
    secret key_;
    std::string key_id_;
};

} // namespace wxcourier::codec
