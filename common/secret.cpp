// SPDX-License-Identifier: Apache-2.0
#include "common/secret.hpp"

#include <openssl/crypto.h>

#include <ostream>
#include <utility>

namespace wxcourier {

secret::secret(std::string text) noexcept : text_(std::move(text)) {}

secret::secret(secret&& other) noexcept : text_(std::move(other.text_))
{
    other.wipe(); // a short string is copied by a move, not taken
}

secret& secret::operator=(const secret& other)
{
    if (this != &other) {
        wipe();
        text_ = other.text_;
    }
    return *this;
}

secret& secret::operator=(secret&& other) noexcept
{
    if (this != &other) {
        wipe();
        text_ = std::move(other.text_);
        other.wipe();
    }
    return *this;
}

secret::~secret()
{
    wipe();
}

void secret::wipe() noexcept
{
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
}

bool operator==(const secret& left, const secret& right) noexcept
{
    return left.text_.size() == right.text_.size() &&
           CRYPTO_memcmp(left.text_.data(), right.text_.data(), left.text_.size()) == 0;
}

std::ostream& operator<<(std::ostream& out, const secret&)
{
    return out << "[redacted]";
}

} // namespace wxcourier
