// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a replica has read about one app's token, and when that allows the leader to fetch another.
#pragma once

#include "common/time.hpp"
#include "domain/token_stamp.hpp"

#include <algorithm>
#include <optional>

namespace wxcourier::domain {

/// Pure; not thread-safe.
class shared_token_log {
public:
    /// @param hold  how long after its `refreshing` was read a fetch may still be under way: the time in which it must
    ///              have begun, and the longest that the call takes.
    explicit shared_token_log(steady_duration hold) : hold_(hold) {}

    enum class news : std::uint8_t { newer, repeated, older };
    /// A token that can be used came.
    news on_token(token_stamp stamp) noexcept
    {
        if (stamp < newest_)
            return news::older;
        if (stamp == newest_)
            return news::repeated;
        newest_ = stamp;
        settle(stamp);
        return news::newer;
    }
    /// Somebody who led when writing it says that a fetch begins.
    void on_refreshing(token_stamp stamp, steady_time now) noexcept
    {
        generation_ = std::max(generation_, stamp.generation);
        if (stamp <= newest_ || (under_way_ && *under_way_ >= stamp))
            return; // a repeat
        under_way_ = stamp;
        read_at_ = now;
    }
    /// That fetch has ended without a token.
    void on_failed(token_stamp stamp) noexcept { settle(stamp); }

    /// From when on a fetch may begin: after one that may be under way.
    [[nodiscard]] steady_time free_at() const noexcept { return under_way_ ? read_at_ + hold_ : steady_time::min(); }
    /// The stamp of a token that is fetched now.
    [[nodiscard]] token_stamp next(std::uint64_t term) const noexcept
    {
        return {term, std::max(newest_.generation, generation_) + 1};
    }
    [[nodiscard]] token_stamp newest() const noexcept { return newest_; }
    [[nodiscard]] std::optional<token_stamp> under_way() const noexcept { return under_way_; }

private:
    void settle(token_stamp stamp) noexcept
    {
        if (under_way_ && *under_way_ <= stamp)
            under_way_.reset();
    }

    steady_duration hold_;
    token_stamp newest_;
    std::optional<token_stamp> under_way_;
    steady_time read_at_{};
    std::uint64_t generation_ = 0; ///< The highest that was begun.
};

} // namespace wxcourier::domain
