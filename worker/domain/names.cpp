// SPDX-License-Identifier: Apache-2.0
// The words by which the domain's values are known outside.
#include "domain/push_job.hpp"
#include "domain/status_record.hpp"

#include <array>

namespace wxcourier::domain {

std::string to_string(const source_position& source)
{
    return source.topic + '/' + std::to_string(source.partition) + '/' + std::to_string(source.offset);
}

std::string_view to_string(job_state state) noexcept
{
    static constexpr std::array<std::string_view, 9> names{
        "sent", "failed", "expired", "rejected", "simulated", "deferred", "delivered", "undelivered", "event"};
    return names.at(static_cast<std::size_t>(state));
}

} // namespace wxcourier::domain
