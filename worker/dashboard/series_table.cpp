// SPDX-License-Identifier: Apache-2.0
#include "dashboard/series_table.hpp"

#include <string_view>

namespace wxcourier::dashboard {
namespace {

constexpr std::size_t longest_word = 128;

std::string_view word_of(const std::optional<std::string>& text)
{
    return text ? std::string_view(*text).substr(0, longest_word) : std::string_view{};
}

} // namespace

series_table::series_table(std::size_t most, std::size_t most_of_a_state)
    : most_(most), most_of_a_state_(most_of_a_state), of_state_(state_count, 0)
{
    for (std::size_t state = 0; state < state_count; ++state)
        rows_.push_back({other_series, other_series, static_cast<domain::job_state>(state), {}, {}});
}

series_id series_table::find_or_add(const domain::status_record& status)
{
    const auto app = word_of(status.app);
    const auto kind = word_of(status.kind);
    const auto reason = std::string_view(status.reason).substr(0, longest_word);
    const bool good = status.state == domain::job_state::sent || status.state == domain::job_state::simulated ||
                      status.state == domain::job_state::delivered;
    const auto errcode = good ? std::nullopt : status.errcode;
    key_.assign(app).append(1, '\0').append(kind).append(1, '\0').append(reason).append(1, '\0');
    key_ += static_cast<char>(status.state);
    if (errcode)
        key_ += std::to_string(*errcode);
    if (const auto found = ids_.find(key_); found != ids_.end())
        return found->second;
    const auto state = static_cast<std::size_t>(status.state);
    if (ids_.size() >= most_ || of_state_[state] >= most_of_a_state_) {
        overflowed_ = true;
        return static_cast<series_id>(state);
    }
    const auto id = static_cast<series_id>(rows_.size());
    rows_.push_back({std::string(app), std::string(kind), status.state, std::string(reason), errcode});
    ids_.emplace(key_, id);
    ++of_state_[state];
    return id;
}

} // namespace wxcourier::dashboard
