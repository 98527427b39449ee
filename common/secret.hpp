// SPDX-License-Identifier: Apache-2.0
/// @file
/// Values that must never be seen: AppSecrets, access tokens, the admin token, the key of the token topic.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace wxcourier {

/// A string that cannot be printed by accident: streams show `[redacted]`, nothing converts it, and its memory is
/// wiped when it goes. Whoever needs the text says `reveal()`, which is easy to search for.
class secret {
public:
    secret() = default;
    explicit secret(std::string text) noexcept;
    secret(const secret& other) = default;
    secret(secret&& other) noexcept;
    secret& operator=(const secret& other);
    secret& operator=(secret&& other) noexcept;
    ~secret();

    /// The text itself. Valid while this object lives and is not assigned to.
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

    /// Takes the same time wherever the two differ; their lengths are not hidden.
    friend bool operator==(const secret& left, const secret& right) noexcept;

private:
    void wipe() noexcept;

    std::string text_;
};

/// Prints `[redacted]`.
std::ostream& operator<<(std::ostream& out, const secret&);

} // namespace wxcourier
