// SPDX-License-Identifier: Apache-2.0
#include "domain/quota_inquiry.hpp"

#include <algorithm>

namespace wxcourier::domain {

bool quota_inquiry::due(const situation& now_is, steady_time now) const noexcept
{
    const bool news = now_is.refused > answered_about_;
    const bool first = now_is.in_use && !now_is.configured && !answered_;
    const bool again = now_is.exhausted || (now_is.short_of_it && !now_is.configured);
    if (!news && !first && !again)
        return false;
    if (asked_at_ == steady_time::min())
        return true;
    const auto since = now - asked_at_;
    if (failures_ != 0) {
        constexpr unsigned most_doublings = 6;
        const auto wait = first_wait * (1U << std::min(failures_ - 1, most_doublings));
        return since >= std::min<steady_duration>(wait, longest_wait);
    }
    return since >= (news ? steady_duration(after_refusal) : steady_duration(look_again));
}

void quota_inquiry::on_asked(const situation& now_is, steady_time now) noexcept
{
    asked_at_ = now;
    asked_about_ = now_is.refused;
}

void quota_inquiry::on_answer(const quota_standing& answer, std::int64_t spent, unsigned reserve_percent) noexcept
{
    failures_ = 0;
    answered_ = true;
    answered_about_ = asked_about_;
    const auto remain = std::max<std::int64_t>(0, answer.remain);
    exhausted_ = remain == 0 && asked_about_ != 0;
    // Without a limit it says nothing; and that nothing is left is believed only when it has refused something.
    if (answer.daily_limit <= 0 || (remain == 0 && !exhausted_))
        return;
    learnt_ = quota_limit_of(std::min(answer.daily_limit, no_quota_limit / 4), reserve_percent,
                             std::min(spent + remain, no_quota_limit / 2));
}

} // namespace wxcourier::domain
