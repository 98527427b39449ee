// SPDX-License-Identifier: Apache-2.0
/// @file
/// A push job and where it came from, once its record has been understood.
#pragma once

#include "common/time.hpp"
#include "domain/kinds.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::domain {

enum class priority : std::uint8_t { high, normal, low };
inline constexpr std::size_t priority_count = 3;

/// Where a job's record stands in Kafka; names the job for good, also when it moves over a delayed topic.
struct source_position {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;

    friend bool operator==(const source_position&, const source_position&) = default;
};

/// `topic/partition/offset`.
std::string to_string(const source_position& source);

using label_list = std::vector<std::pair<std::string, std::string>>;

/// What a job asks for, without its messages' bodies (codec/job_codec.hpp keeps those).
struct push_job {
    std::string id;
    std::string app;
    const kind_rule* kind = nullptr; ///< Never null in a job that was accepted.
    domain::priority priority = priority::normal;
    std::optional<wall_time> not_before;
    std::optional<wall_time> expire_at;
    label_list labels;
};

} // namespace wxcourier::domain
