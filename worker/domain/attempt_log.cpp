// SPDX-License-Identifier: Apache-2.0
#include "domain/attempt_log.hpp"

#include <algorithm>

namespace wxcourier::domain {

namespace {

constexpr std::array<std::string_view, 9> words{"none",  "resolve", "connect",    "tls",      "write",
                                                "reset", "timeout", "bad_answer", "cancelled"};

} // namespace

std::string_view to_string(transport_failure failure) noexcept
{
    return words.at(static_cast<std::size_t>(failure));
}

transport_failure transport_failure_of(std::string_view word) noexcept
{
    const auto* const found = std::find(words.begin(), words.end(), word);
    return found == words.end() ? transport_failure::none : static_cast<transport_failure>(found - words.begin());
}

attempt_log::attempt_log(const attempt_notes& notes, int attempts) noexcept : attempts_(attempts)
{
    size_ = notes.kept.size() < kept ? notes.kept.size() : std::max(notes.noted, kept);
    for (std::size_t i = 0; i < size(); ++i)
        notes_.at(place_of(i)) = notes.kept[i];
}

attempt_notes attempt_log::notes() const
{
    attempt_notes all{{}, size_};
    for (std::size_t i = 0; i < size(); ++i)
        all.kept.push_back((*this)[i]);
    return all;
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
    return notes_.at(place_of(index));
}

std::size_t attempt_log::place_of(std::size_t index) const noexcept
{
    if (index < first_kept || size_ <= kept)
        return index;
    return first_kept + (size_ + index - 2 * first_kept) % last_kept;
}

} // namespace wxcourier::domain
