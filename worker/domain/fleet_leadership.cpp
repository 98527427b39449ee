// SPDX-License-Identifier: Apache-2.0
#include "domain/fleet_leadership.hpp"

namespace wxcourier::domain {

void fleet_leadership::set_candidate(bool candidate) noexcept
{
    candidate_ = candidate;
    if (candidate)
        return;
    // Another may have been made the candidate in between: coming back takes a new term.
    own_term_ = 0;
    announced_ = 0;
}

void fleet_leadership::on_term(std::uint64_t term) noexcept
{
    if (term <= term_)
        return;
    term_ = term;
    own_term_ = 0;
    leader_member_.clear();
    leader_worker_.clear();
}

bool fleet_leadership::on_leading(const leading_record& read)
{
    const bool known = !leader_member_.empty();
    if (read.term < term_ || (read.term == term_ && known && read.member != leader_member_)) {
        if (read.member == member_)
            announced_ = 0; // another came first; the next try takes the next term
        return false;
    }
    const bool new_term = read.term > term_;
    term_ = read.term;
    leader_member_ = read.member;
    leader_worker_ = read.worker;
    if (read.member != member_) {
        own_term_ = 0;
        announced_ = 0;
    } else if (new_term) {
        // Only what was announced by the present candidate: an announcement from before a loss of the partition would
        // lead with a view that had been given up.
        own_term_ = candidate_ && announced_ == read.term ? read.term : 0;
        announced_ = 0;
    }
    return true;
}

std::optional<std::uint64_t> fleet_leadership::to_announce(steady_time now) const noexcept
{
    const auto look = next_look();
    if (!look || now < *look)
        return std::nullopt;
    return leads() ? own_term_ : term_ + 1;
}

void fleet_leadership::on_announced(std::uint64_t term, steady_time now) noexcept
{
    if (!leads())
        announced_ = term;
    announced_at_ = now;
}

std::optional<steady_time> fleet_leadership::next_look() const noexcept
{
    if (!candidate_ || !caught_up_)
        return std::nullopt;
    if (leads())
        return announced_at_ + repeat_interval;
    return announced_at_ == steady_time{} ? steady_time::min() : announced_at_ + announce_interval;
}

} // namespace wxcourier::domain
