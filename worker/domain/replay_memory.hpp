// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which dead letters have been replayed: kept in blocks of offsets, each a record of its own in a compacted topic, so
/// that what is written with a job stays small however many letters there are and whatever was chosen among them.
#pragma once

#include "common/time.hpp"
#include "domain/index_set.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace wxcourier::domain {

/// Names a block: offsets `number * replay_block_size` and so many after it.
struct replay_block_name {
    std::int32_t partition = 0;
    std::int64_t number = 0;

    friend auto operator<=>(const replay_block_name&, const replay_block_name&) = default;
};

inline constexpr std::int64_t replay_block_size = 4096;

struct replay_block {
    index_set offsets; ///< The replayed ones.
    /// The Kafka timestamp of the highest one: if the letter there has another one, the topic was deleted and made
    /// anew, and the block speaks of letters that are gone.
    wall_time last_at{};
};

/// Not thread-safe.
class replay_memory {
public:
    /// What the topic says of a block; a later word replaces the earlier one.
    void put(replay_block_name name, replay_block block) { blocks_[name] = std::move(block); }

    /// A letter was seen where it stands. Forgets its block where that speaks of an earlier topic.
    void check(std::int32_t partition, std::int64_t offset, wall_time written_at);
    /// The topic ends there: blocks that know a later letter speak of an earlier topic, and are forgotten.
    void check_end(std::int32_t partition, std::int64_t end);

    [[nodiscard]] bool contains(std::int32_t partition, std::int64_t offset) const;
    /// @return the block that has changed, to be written.
    replay_block_name add(std::int32_t partition, std::int64_t offset, wall_time written_at);
    [[nodiscard]] const replay_block& block(const replay_block_name& name) const { return blocks_.at(name); }
    [[nodiscard]] std::size_t size() const noexcept { return blocks_.size(); }

private:
    static replay_block_name name_of(std::int32_t partition, std::int64_t offset)
    {
        return {partition, offset / replay_block_size};
    }

    std::map<replay_block_name, replay_block> blocks_;
};

} // namespace wxcourier::domain
