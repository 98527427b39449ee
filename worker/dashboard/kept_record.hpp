// SPDX-License-Identifier: Apache-2.0
/// @file
/// A status as the dashboard keeps it to be shown: what a person needs of it, in one block of memory, its openid
/// masked.
#pragma once

#include "common/time.hpp"
#include "dashboard/tally.hpp"
#include "domain/status_record.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace wxcourier::dashboard {

/// A number that stands for a text. The same in one process only.
std::uint64_t hash_of(std::string_view text) noexcept;

class kept_record {
public:
    /// @param at  when it was reported.
    kept_record(const domain::status_record& status, series_id series, wall_time at);

    [[nodiscard]] wall_time at() const noexcept { return at_; }
    [[nodiscard]] series_id series() const noexcept { return series_; }
    [[nodiscard]] std::uint64_t id_hash() const noexcept { return id_hash_; }
    [[nodiscard]] wall_time enqueued_at() const noexcept { return enqueued_at_; }
    /// Tells recipients of a job apart whose masked openids are alike; says nothing else. 0: none.
    [[nodiscard]] std::uint32_t recipient_tag() const noexcept { return recipient_tag_; }
    /// Milliseconds; negative: none.
    [[nodiscard]] std::int64_t latency() const noexcept { return latency_; }
    /// The epoch: none.
    [[nodiscard]] wall_time retry_at() const noexcept { return retry_at_; }
    [[nodiscard]] int attempts() const noexcept { return attempts_; }

    [[nodiscard]] std::string_view id() const noexcept { return text(0); }
    [[nodiscard]] std::string_view recipient() const noexcept { return text(1); } ///< Masked.
    [[nodiscard]] std::string_view errmsg() const noexcept { return text(2); }
    [[nodiscard]] std::string_view msgid() const noexcept { return text(3); }
    [[nodiscard]] std::string_view source() const noexcept { return text(4); } ///< `topic/partition/offset`.
    [[nodiscard]] std::string_view worker() const noexcept { return text(5); }

    /// Bytes it takes.
    [[nodiscard]] std::size_t footprint() const noexcept { return sizeof(*this) + texts_.capacity() + 16; }

private:
    [[nodiscard]] std::string_view text(std::size_t number) const noexcept
    {
        const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
        return std::string_view(texts_).substr(begin, ends_[number] - begin);
    }

    wall_time at_;
    wall_time enqueued_at_;
    wall_time retry_at_{};
    std::int64_t latency_ = -1;
    std::uint64_t id_hash_ = 0;
    std::uint32_t recipient_tag_ = 0;
    int attempts_ = 0;
    series_id series_ = 0;
    std::array<std::uint16_t, 6> ends_{};
    std::string texts_;
};

/// The latest records, as many as fit.
class record_ring {
public:
    explicit record_ring(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    void add(kept_record record);
    /// Oldest first, in the order they came.
    [[nodiscard]] const std::deque<kept_record>& records() const noexcept { return records_; }
    /// Whether older ones have been let go.
    [[nodiscard]] bool wrapped() const noexcept { return wrapped_; }

private:
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    bool wrapped_ = false;
    std::deque<kept_record> records_;
};

} // namespace wxcourier::dashboard
