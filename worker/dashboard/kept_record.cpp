// SPDX-License-Identifier: Apache-2.0
#include "dashboard/kept_record.hpp"

#include "dashboard/masking.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

namespace wxcourier::dashboard {
namespace {

constexpr std::size_t longest_text = 256;

/// An operator's action in a line; it stands where a job's status has WeChat's words.
std::string told(const domain::status_record& status, const domain::operator_event& operation)
{
    auto text =
        describe(domain::pause_target{status.app.value_or(""), status.kind.value_or(""), operation.template_id});
    const auto add = [&text](std::string_view name, const auto& value) {
        if (value) {
            std::ostringstream number;
            number << *value;
            text += ", " + std::string(name) + ' ' + number.str();
        }
    };
    if (operation.limits) {
        add("per_second", operation.limits->per_second);
        add("burst", operation.limits->burst);
        add("concurrency", operation.limits->concurrency);
    }
    return text + ", by " + operation.by + (operation.scope == "instance" ? ", this worker only" : "");
}

} // namespace

std::uint64_t hash_of(std::string_view text) noexcept
{
    return std::hash<std::string_view>{}(text);
}

kept_record::kept_record(const domain::status_record& status, series_id series, wall_time at)
    : at_(at), enqueued_at_(status.enqueued_at), retry_at_(status.retry_at.value_or(wall_time{})),
      attempts_(status.attempts), series_(series)
{
    const std::string_view id = status.id ? std::string_view(*status.id) : std::string_view{};
    const std::string_view openid = status.touser ? std::string_view(*status.touser) : std::string_view{};
    if (status.finished_at)
        latency_ = std::max<std::int64_t>(0, (*status.finished_at - status.enqueued_at).count());
    id_hash_ = hash_of(id);
    recipient_tag_ = openid.empty() ? 0 : static_cast<std::uint32_t>(hash_of(openid) | 1U);
    const auto recipient = masked(openid);
    const auto errmsg = status.operation ? told(status, *status.operation) : without_openid(status.errmsg, openid);
    const auto source = status.source.topic.empty() ? std::string{} : to_string(status.source);
    const std::array<std::string_view, 6> parts{id, recipient, errmsg, status.msgid, source, status.worker};
    std::size_t size = 0;
    for (const auto& part : parts)
        size += std::min(part.size(), longest_text);
    texts_.reserve(size);
    for (std::size_t number = 0; number < parts.size(); ++number) {
        texts_.append(parts[number].substr(0, longest_text));
        ends_[number] = static_cast<std::uint16_t>(texts_.size());
    }
}

void record_ring::add(kept_record record)
{
    bytes_ += record.footprint();
    records_.push_back(std::move(record));
    while (bytes_ > most_bytes_) {
        bytes_ -= records_.front().footprint();
        records_.pop_front();
        wrapped_ = true;
    }
}

} // namespace wxcourier::dashboard
