// SPDX-License-Identifier: Apache-2.0
#include "domain/attempt_log.hpp"

#include <algorithm>

namespace wxcourier::domain {

std::string_view to_string(transport_failure failure) noexcept
{
    static constexpr std::array<std::string_view, 9> words{"none",  "resolve", "connect",    "tls",      "write",
                                                           "reset", "timeout", "bad_answer", "cancelled"};
    return words.at(static_cast<std::size_t>(failure));
}

void attempt_log::add(const push_reply& reply, wall_time began, int attempts) noexcept
{
    const auto place = size_ < first_kept ? size_ : first_kept + (size_ - first_kept) % last_kept;
    notes_.at(place) = {began, reply.latency, reply.errcode, reply.http_status, reply.failure};
    ++size_;
    attempts_ = std::max(attempts, static_cast<int>(size_));
}

const attempt_note& attempt_log::operator[](std::size_t index) const noexcept
{
    if (index < first_kept || size_ <= kept)
        return notes_.at(index);
    return notes_.at(first_kept + (size_ + index - 2 * first_kept) % last_kept);
}

} // namespace wxcourier::domain
