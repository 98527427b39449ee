// SPDX-License-Identifier: Apache-2.0
/// @file
/// When WeChat is asked how much of a call's day quota is left, and what its answer is worth (docs/adr/0016).
#pragma once

#include "common/time.hpp"
#include "domain/quota_amount.hpp"

#include <cstdint>
#include <optional>

namespace wxcourier::domain {

/// WeChat's answer about one call today (openapi/quota/get). It may be off by about a percent.
struct quota_standing {
    std::int64_t daily_limit = 0; ///< 0: it does not say.
    std::int64_t remain = 0;
};

/// The leader's questions about one call on one day. Pure; not thread-safe.
class quota_inquiry {
public:
    /// After a failed question the next one waits so long, twice as long each time, up to …
    static constexpr std::chrono::minutes first_wait{1};
    static constexpr std::chrono::hours longest_wait{1};
    /// Between two questions about refusals, at least.
    static constexpr seconds after_refusal{30};
    /// Where nothing is left somebody may have reset WeChat's counter (clear_quota), or ours may be too careful.
    static constexpr std::chrono::minutes look_again{10};

    /// What is known of the call.
    struct situation {
        bool configured = false;   ///< `quota.daily` says what the limit is.
        bool in_use = false;       ///< Messages were sent today.
        bool exhausted = false;    ///< WeChat has said that nothing is left.
        bool short_of_it = false;  ///< Messages wait, and by the count nothing is left.
        std::uint64_t refused = 0; ///< Refusals (45009) so far.
    };

    [[nodiscard]] bool due(const situation& now_is, steady_time now) const noexcept;
    /// The question goes out now.
    void on_asked(const situation& now_is, steady_time now) noexcept;
    void on_failed() noexcept { ++failures_; }
    /// @param spent            by the group's count, at most what WeChat has seen when it answered.
    /// @param reserve_percent  see quota_limit_of.
    void on_answer(const quota_standing& answer, std::int64_t spent, unsigned reserve_percent) noexcept;

    /// What the group may use of the day's quota by the newest answer; empty: WeChat has not said.
    [[nodiscard]] const std::optional<quota_limit>& learnt() const noexcept { return learnt_; }
    /// Whether WeChat has said anything.
    [[nodiscard]] bool answered() const noexcept { return answered_; }
    /// WeChat has refused messages, and says that nothing is left.
    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }

private:
    std::optional<quota_limit> learnt_;
    bool exhausted_ = false;
    bool answered_ = false;
    std::uint64_t asked_about_ = 0;    ///< Refusals that the last question was about …
    std::uint64_t answered_about_ = 0; ///< … and the last one that was answered.
    unsigned failures_ = 0;
    steady_time asked_at_ = steady_time::min();
};

} // namespace wxcourier::domain
