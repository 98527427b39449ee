// SPDX-License-Identifier: Apache-2.0
/// @file
/// What became of a message's attempts, for whoever reads its dead letter: the first few, which say how the trouble
/// began, and the latest.
#pragma once

#include "common/time.hpp"
#include "domain/push_reply.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// One attempt.
struct attempt_note {
    wall_time began{};
    milliseconds latency{0};
    std::optional<int> errcode;                          ///< WeChat's, where there was one …
    int http_status = 0;                                 ///< … otherwise the HTTP status, where there was one …
    transport_failure failure = transport_failure::none; ///< … otherwise what went wrong on the way.

    friend bool operator==(const attempt_note&, const attempt_note&) = default;
};

/// What an `attempt_log` knows, for where it travels.
struct attempt_notes {
    std::vector<attempt_note> kept; ///< In the order they were made.
    std::size_t noted = 0;          ///< How many were noted, those included that are not kept.

    friend bool operator==(const attempt_notes&, const attempt_notes&) = default;
};

/// `note.failure`'s word: `timeout`, `connect`, ….
std::string_view to_string(transport_failure failure) noexcept;
/// And back; `none` for a word of a later release.
transport_failure transport_failure_of(std::string_view word) noexcept;

/// The notes of one message, bounded. Kept apart from the message, which has none as long as nothing failed.
class attempt_log {
public:
    static constexpr std::size_t first_kept = 3;
    static constexpr std::size_t last_kept = 12;

    attempt_log() = default;
    /// One that goes on where another stood, in another process maybe.
    /// @param attempts  made so far.
    attempt_log(const attempt_notes& notes, int attempts) noexcept;

    /// @param attempts  made so far, this one included: what is missing between is left out (other replicas made it).
    void add(const push_reply& reply, wall_time began, int attempts) noexcept;

    /// How many attempts there were.
    [[nodiscard]] int attempts() const noexcept { return attempts_; }
    /// How many of them are kept here.
    [[nodiscard]] std::size_t size() const noexcept { return size_ < kept ? size_ : kept; }
    /// In the order they were made; `index` below `size()`. What is left out stands behind the first three.
    [[nodiscard]] const attempt_note& operator[](std::size_t index) const noexcept;
    [[nodiscard]] attempt_notes notes() const;

private:
    static constexpr std::size_t kept = first_kept + last_kept;

    [[nodiscard]] std::size_t place_of(std::size_t index) const noexcept;

    std::array<attempt_note, kept> notes_{};
    std::size_t size_ = 0; ///< Added so far.
    int attempts_ = 0;
};

} // namespace wxcourier::domain
